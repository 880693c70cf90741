import type { Cursor } from './cursor.ts'

/** Bytes from which on a call that copies them costs less than a loop over words. */
const longBytes = 48

/** Bytes that are looked for and written again and again, eight at a time: as numbers, which are equal where their bits are. */
export class Literal {
  readonly length: number
  readonly #bytes: Buffer
  /** Little-endian; the last one, which zeros fill, is written as a whole, and compared byte by byte. */
  readonly #words: Float64Array
  readonly #wholeWords: number
  /** Whether a call copies them. */
  readonly #isCalled: boolean

  constructor (bytes: Uint8Array) {
    this.length = bytes.length
    this.#bytes = Buffer.from(bytes)
    const filled = Buffer.alloc(8 * Math.ceil(bytes.length / 8), bytes)
    filled.fill(0, bytes.length)
    this.#words = Float64Array.from({ length: filled.length / 8 }, (_, i) => filled.readDoubleLE(8 * i))
    this.#wholeWords = bytes.length >> 3
    // NaN keeps no bits, and equals nothing. Words of UTF-8 are none.
    this.#isCalled = bytes.length > longBytes || this.#words.some(Number.isNaN)
  }

  byteAt (index: number): number {
    return this.#bytes[index]!
  }

  equals (bytes: Uint8Array): boolean {
    return this.#bytes.equals(bytes)
  }

  /** Whether the cursor stands before these bytes. */
  standsAt ({ source, words, at, end }: Cursor): boolean {
    const { length } = this
    if (at + length > end) return false
    const known = this.#words
    const whole = this.#wholeWords
    for (let i = 0; i < whole; i++) if (words.getFloat64(at + 8 * i, true) !== known[i]) return false
    const bytes = this.#bytes
    for (let i = 8 * whole; i < length; i++) if (source[at + i] !== bytes[i]) return false
    return true
  }

  /** Passes over these bytes, if the cursor stands before them. */
  take (cursor: Cursor): boolean {
    if (!this.standsAt(cursor)) return false
    cursor.at += this.length
    return true
  }

  /** Writes beyond its end, into the room that the cursor keeps. */
  put (cursor: Cursor): void {
    const { to, targetWords } = cursor
    const { length } = this
    if (this.#isCalled) cursor.target.set(this.#bytes, to)
    else {
      const words = this.#words
      for (let i = 0; i < words.length; i++) targetWords.setFloat64(to + 8 * i, words[i]!, true)
    }
    cursor.to = to + length
  }
}
