import type { Cursor } from './cursor.ts'

/** Of the JSON of a value: smaller ones are copied as fast as they are found, and larger ones seldom come again. */
const [minBytes, maxBytes] = [24, 1024]
const maxValues = 512
/** Values after which a memo looks at what it found, and how many it lets pass if that was too little. */
const [triedValues, restValues] = [1_000, 30_000]

/**
 * The JSON of an element's values as it was copied: bytes that were checked once are good when they come again. Codings, categories and
 * units tend to; an element whose values do not is left alone for a while.
 *
 * A crit-bit tree finds the only value that may be the one at the cursor (https://cr.yp.to/critbit.html): each node looks at one bit of
 * one byte. No JSON of an object or array begins with that of another.
 */
export class Memo {
  readonly #sources: Buffer[] = []
  readonly #copies: Buffer[] = []
  // Nodes; a child below 0 is a value: its number, inverted.
  readonly #positions: number[] = []
  readonly #masks: number[] = []
  readonly #children: number[] = []
  #root = -1
  #tries = 0
  #hits = 0
  #rest = 0

  /** Copies the value at the cursor, if it was copied before. */
  copy (cursor: Cursor): boolean {
    if (this.#rest > 0) {
      this.#rest--
      return false
    }
    if (++this.#tries === triedValues) this.#judge()
    if (this.#sources.length === 0) return false
    const { source, at, end } = cursor
    const nearest = this.#findNearest(source, at, end)
    const known = this.#sources[nearest]!
    if (findDifference(known, source, at, end) < known.length) return false
    this.#hits++
    cursor.put(this.#copies[nearest]!)
    cursor.at = at + known.length
    return true
  }

  /** Keeps the value from `at` to the cursor, of which the copy begins at `to`. */
  keep ({ source, at: end, target, to: copyEnd }: Cursor, at: number, to: number): void {
    const length = end - at
    const value = this.#sources.length
    if (this.#rest > 0 || length < minBytes || length > maxBytes || value === maxValues) return
    if (value === 0) this.#root = ~0
    else this.#insert(value, source.subarray(at, end))
    this.#sources.push(Buffer.from(source.subarray(at, end)))
    this.#copies.push(Buffer.from(target.subarray(to, copyEnd)))
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
    const position = findDifference(nearest, source, 0, source.length)
    const mask = 1 << (31 - Math.clz32(source[position]! ^ nearest[position]!))
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

  #judge (): void {
    if (this.#hits < this.#tries / 2) {
      this.#rest = restValues
      for (const list of [this.#sources, this.#copies, this.#positions, this.#masks, this.#children]) list.length = 0
    }
    this.#tries = 0
    this.#hits = 0
  }
}

/** How many bytes of `known` stand in `source` at `at`. */
function findDifference (known: Buffer, source: Buffer, at: number, end: number): number {
  const compared = Math.min(known.length, end - at)
  let i = 0
  while (i < compared && source[at + i] === known[i]) i++
  return i
}

/** An element's, of values in JSON and of those in columns, where what is empty is left out. Most elements are never met. */
export class Memos {
  readonly #memos: [Memo?, Memo?] = []

  get (isColumn: boolean): Memo {
    return (this.#memos[isColumn ? 1 : 0] ??= new Memo())
  }
}
