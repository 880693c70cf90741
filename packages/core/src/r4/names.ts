/**
 * Finds a name by its bytes, without making a string of them: a hash table with open addressing over length, first, middle and
 * last byte.
 */
export class Names {
  readonly #slots: Int16Array
  readonly #names: readonly Buffer[]
  readonly all: readonly string[]

  constructor (names: readonly string[]) {
    this.all = names
    this.#names = names.map((name) => Buffer.from(name))
    this.#slots = new Int16Array(2 ** Math.ceil(Math.log2(4 * names.length + 4))).fill(-1)
    for (const [i, name] of this.#names.entries()) {
      let slot = this.#hash(name, 0, name.length)
      while (this.#slots[slot] !== -1) slot = (slot + 1) & (this.#slots.length - 1)
      this.#slots[slot] = i
    }
  }

  /** The number of the name that stands in `source` from `start` to `end`, or -1. */
  find (source: Buffer, start: number, end: number): number {
    for (let slot = this.#hash(source, start, end); ; slot = (slot + 1) & (this.#slots.length - 1)) {
      const i = this.#slots[slot]!
      if (i === -1) return -1
      const name = this.#names[i]!
      if (name.length !== end - start) continue
      let at = 0
      while (at < name.length && name[at] === source[start + at]) at++
      if (at === name.length) return i
    }
  }

  #hash (source: Buffer, start: number, end: number): number {
    const length = end - start
    return (length * 31 + source[start]! * 7 + source[start + (length >> 1)]! * 131 + source[end - 1]! * 17) & (this.#slots.length - 1)
  }
}
