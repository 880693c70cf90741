import type { ElementNode } from './table.ts'

/** What is known of an object while it is copied. */
export class Frame {
  /** By the element's index: the number of the object that it was last seen in, so that nothing has to be emptied for the next one. */
  readonly #seen = new Float64Array(512)
  #object = 0
  /** How many elements of choices were seen. */
  choices = 0
  isUrlLeftOut = false
  /** Lists of primitives and of their extensions in which there are nulls: which of the items are there. */
  lists: Array<{ element: ElementNode, isThere: boolean[] }> | undefined

  begin (): void {
    this.#object++
    this.lists = undefined
    this.choices = 0
    this.isUrlLeftOut = false
  }

  see ({ index, isChoice }: ElementNode): void {
    this.#seen[index] = this.#object
    if (isChoice) this.choices++
  }

  has (index: number): boolean {
    return this.#seen[index] === this.#object
  }

  hasAny (indexes: readonly number[]): boolean {
    for (let i = 0; i < indexes.length; i++) if (this.has(indexes[i]!)) return true
    return false
  }
}
