import type { Cursor } from './cursor.ts'
import type { CopiedValue } from './shapes.ts'
import type { ElementNode } from './table.ts'

/** What is known of an object while it is copied. */
export class Frame {
  /** By the element's index: the number of the object that it was last seen in, so that nothing has to be emptied for the next one. */
  readonly #seen = new Float64Array(512)
  #object = 0
  /** How many elements of choices were seen. */
  choices = 0
  isUrlLeftOut = false
  hasResourceType = false
  /** Lists of primitives and of their extensions in which there are nulls: which of the items are there. */
  lists: Array<{ element: ElementNode, isThere: boolean[] }> | undefined

  /** Of the elements that were seen, the first `count`; those behind are of other objects. */
  readonly values: Array<CopiedValue<ElementNode>> = []
  count = 0

  begin (): void {
    this.#object++
    this.count = 0
    this.lists = undefined
    this.choices = 0
    this.isUrlLeftOut = false
    this.hasResourceType = false
  }

  see ({ index, isChoice }: ElementNode): void {
    this.#seen[index] = this.#object
    if (isChoice) this.choices++
  }

  /** Takes down where the element's value stood, and where it stands. */
  note (element: ElementNode, at: number, end: number, to: number, toEnd: number): void {
    const value = this.values[this.count]
    if (value === undefined) this.values.push({ element, at, end, to, toEnd })
    else {
      value.element = element
      value.at = at
      value.end = end
      value.to = to
      value.toEnd = toEnd
    }
    this.count++
  }

  has (index: number): boolean {
    return this.#seen[index] === this.#object
  }

  hasAny (indexes: readonly number[]): boolean {
    for (let i = 0; i < indexes.length; i++) if (this.has(indexes[i]!)) return true
    return false
  }
}

/** One for each depth, used again and again. */
export const frames: Frame[] = []

/** Of an object that begins at the cursor. */
export function beginFrame (cursor: Cursor): Frame {
  const frame = frames[cursor.depth++] ??= new Frame()
  frame.begin()
  return frame
}
