/** A stream of random numbers that is the same everywhere for the same seed. Not for secrets. */
export interface Random {
  /** 0 ≤ x < 1 */
  next: () => number
  /** `from` ≤ x ≤ `to` */
  integer: (from: number, to: number) => number
  chance: (probability: number) => boolean
  /** What is made, or null: an empty column. */
  maybe: <T>(probability: number, make: () => T) => T | null
  pick: <T>(values: readonly T[]) => T
  uuid: () => string
}

/** `stream` gives independent numbers for the same seed: patient 7 is the same patient however many there are. */
export function createRandom (seed: number, stream: number): Random {
  const next32 = sfc32(seed, stream)
  const next = (): number => next32() / 2 ** 32
  return {
    next,
    integer: (from, to) => from + Math.floor(next() * (to - from + 1)),
    chance: probability => next() < probability,
    maybe: (probability, make) => next() < probability ? make() : null,
    pick: values => values[Math.floor(next() * values.length)] as (typeof values)[number],
    uuid: () => toUuid(next32(), next32(), next32(), next32()),
  }
}

/**
 * sfc32 of PractRand (https://pracrand.sourceforge.net, public domain). Its 128 bits of state keep the streams apart: with 32
 * bits, some of 10,000 patients would share a part of their numbers, and so ids.
 */
function sfc32 (seed: number, stream: number): () => number {
  let a = seed | 0
  let b = stream | 0
  let c = 0x9E3779B9
  let counter = 1
  const next = (): number => {
    const t = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t | 0
    return t >>> 0
  }
  for (let round = 0; round < 12; round++) next() // until neighbouring seeds have become unrelated
  return next
}

/** Version 4 in form. */
function toUuid (a: number, b: number, c: number, d: number): string {
  const bHex = hex((b & 0xFFFF0FFF) | 0x4000)
  const cHex = hex((c & 0x3FFFFFFF) | 0x80000000)
  return `${hex(a)}-${bHex.slice(0, 4)}-${bHex.slice(4)}-${cHex.slice(0, 4)}-${cHex.slice(4)}${hex(d)}`
}

const bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** By table: a third of the time of making resources went into `toString(16)`. */
function hex (value: number): string {
  return `${bytes[value >>> 24]}${bytes[(value >>> 16) & 0xFF]}${bytes[(value >>> 8) & 0xFF]}${bytes[value & 0xFF]}`
}
