import type { Cursor } from './cursor.ts'
import { Literal } from './literal.ts'
import { Trial } from './trial.ts'

/** Of the JSON of a value: smaller ones are copied as fast as they are found, and larger ones seldom come again. */
const [minBytes, maxBytes] = [24, 1024]
const maxValues = 512

/**
 * The JSON of an element's values as it was copied: bytes that were checked once are good when they come again. Codings, categories and
 * units tend to; an element whose values do not is left alone for a while.
 *
 * A crit-bit tree finds the only value that may be the one at the cursor (https://cr.yp.to/critbit.html): each node looks at one bit of
 * one byte. No JSON of an object or array begins with that of another.
 */
export class Memo {
  readonly #sources: Literal[] = []
  readonly #copies: Literal[] = []
  // Nodes; a child below 0 is a value: its number, inverted.
  readonly #positions: number[] = []
  readonly #masks: number[] = []
  readonly #children: number[] = []
  #root = -1
  #last = 0
  readonly #trial = new Trial()

  /** Copies the value at the cursor, if it was copied before. */
  copy (cursor: Cursor): boolean {
    if (!this.#trial.begin(this) || this.#sources.length === 0) return false
    if (!this.#sources[this.#last]!.take(cursor)) {
      const { source, at, end } = cursor
      const nearest = this.#findNearest(source, at, end)
      if (!this.#sources[nearest]!.take(cursor)) return false
      this.#last = nearest
    }
    this.#trial.succeed()
    this.#copies[this.#last]!.put(cursor)
    return true
  }

  /** Keeps the value from `at` to the cursor, of which the copy begins at `to`. */
  keep ({ source, at: end, target, to: copyEnd }: Cursor, at: number, to: number): void {
    const length = end - at
    const value = this.#sources.length
    if (this.#trial.isResting || length < minBytes || length > maxBytes || value === maxValues) return
    if (value === 0) this.#root = ~0
    else this.#insert(value, source.subarray(at, end))
    this.#sources.push(new Literal(source.subarray(at, end)))
    this.#copies.push(new Literal(target.subarray(to, copyEnd)))
  }

  #findNearest (source: Buffer, at: number, end: number): number {
    let node = this.#root
    while (node >= 0) {
      const position = at + this.#positions[node]!
      const byte = position < end ? source[position]! : 0
      node = this.#children[2 * node + ((byte & this.#masks[node]!) === 0 ? 0 : 1)]!
    }
    return ~node
  }

  /** Where the value differs from the one that is most like it, a node divides them. */
  #insert (value: number, source: Buffer): void {
    const nearest = this.#sources[this.#findNearest(source, 0, source.length)]!
    const position = findDifference(nearest, source)
    const mask = 1 << (31 - Math.clz32(source[position]! ^ nearest.byteAt(position)))
    const node = this.#positions.length
    const side = (source[position]! & mask) === 0 ? 0 : 1
    let parent = -1
    let child = this.#root
    while (child >= 0 && (this.#positions[child]! < position || (this.#positions[child] === position && this.#masks[child]! > mask))) {
      const byte = source[this.#positions[child]!] ?? 0
      parent = 2 * child + ((byte & this.#masks[child]!) === 0 ? 0 : 1)
      child = this.#children[parent]!
    }
    this.#positions.push(position)
    this.#masks.push(mask)
    this.#children.push(...(side === 0 ? [~value, child] : [child, ~value]))
    if (parent === -1) this.#root = node
    else this.#children[parent] = node
  }

  forget (): void {
    for (const list of [this.#sources, this.#copies, this.#positions, this.#masks, this.#children]) list.length = 0
    this.#last = 0
  }
}

/** How many bytes both begin with. */
function findDifference (known: Literal, source: Buffer): number {
  const compared = Math.min(known.length, source.length)
  let i = 0
  while (i < compared && source[i] === known.byteAt(i)) i++
  return i
}

/** An element's, of values in JSON and of those in columns, where what is empty is left out. Most elements are never met. */
export class Memos {
  readonly #memos: Array<Memo | undefined> = []

  get (isColumn: boolean): Memo {
    return (this.#memos[isColumn ? 1 : 0] ??= new Memo())
  }

  forget (): void {
    this.#memos.length = 0
  }
}
