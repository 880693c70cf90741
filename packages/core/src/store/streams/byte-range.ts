import type { ByteRange } from '../content-store.ts'

/** The range to read, the whole file by default. The HTTP layer has judged the client's Range: a range that does not fit here is a bug. */
export function toByteRange (size: number, range: ByteRange = { start: 0, end: size }): ByteRange {
  const { start, end } = range
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > size) {
    throw new RangeError(`Bytes ${start} to ${end} are not within a file of ${size} bytes`)
  }
  return range
}
