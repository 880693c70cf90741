import type { Row } from '@fhir-bulk-export/core/resources'
import { largeRowBytes, type LargeRows } from './large-rows.ts'

/**
 * COPY's binary format, cut into rows (PostgreSQL manual, COPY, Binary Format): a header, then of each row the number of its fields and
 * of each field its length (-1: NULL) and its bytes, then -1 in place of a number. Each row is a message (COPY Operations in the manual's
 * Message Flow), with a code and its length in front.
 */

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const headerBytes = signature.length + 4 + 4 // flags, length of an extension
const messageHeaderBytes = 1 + 4
/** Bytes of a buffer for rows that chunks cut in two; a larger one is made for a larger row, and given up after it. */
const smallBytes = 256 * 1024

/** The rows that the chunks so far complete. */
export interface Rows {
  /** False: there is no further one yet. */
  next: () => boolean
  /** Good until the next row is asked for. */
  readonly row: Row
}

/**
 * Yields for every chunk: one takes rows until there is none. A row of `largeRowBytes` or more waits in the middle for its turn, and gives
 * it back when it has been dealt with.
 * @throws Error where the stream is none of COPY's binary format, has rows of another width, or ends early.
 */
export async function * readRows (chunks: AsyncIterable<Buffer>, fields: number, largeRows?: LargeRows): AsyncGenerator<Rows> {
  const cutter = new RowCutter(fields)
  let isHeld = false
  try {
    for await (const chunk of chunks) {
      cutter.add(chunk)
      for (;;) {
        yield cutter
        if (isHeld && !cutter.isInLargeRow) {
          cutter.shrink()
          largeRows?.release()
          isHeld = false
        }
        if (!cutter.isWaiting) break
        await largeRows?.acquire()
        isHeld = true
        cutter.goOn()
      }
    }
  } finally {
    largeRows?.release()
  }
  if (!cutter.isComplete) throw new Error('the COPY stream ended in the middle')
}

/** A field of text; undefined for NULL. */
export function toText ({ bytes, starts, ends }: Row, field: number): string | undefined {
  const start = starts[field] ?? -1
  return start < 0 ? undefined : bytes.toString('utf8', start, ends[field])
}

class RowCutter implements Rows {
  readonly row: Row
  /** The end has come. */
  isComplete = false
  /** In the middle of a large row, for its turn. */
  isWaiting = false
  readonly #fields: number
  #isFirst = true
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  // A message that a chunk left open: its bytes so far, and how many it takes to go on.
  #open: Buffer = Buffer.allocUnsafe(smallBytes)
  #size = 0
  #needed = 0
  #mayBeLarge = false

  constructor (fields: number) {
    this.#fields = fields
    this.row = { bytes: this.#chunk, starts: new Int32Array(fields), ends: new Int32Array(fields) }
  }

  get isInLargeRow (): boolean {
    return this.#size > 0 && this.#needed >= largeRowBytes
  }

  /** All rows of the chunk before have been taken. */
  add (chunk: Buffer): void {
    this.#chunk = chunk
    this.#at = 0
  }

  next (): boolean {
    while (!this.isComplete && !this.isWaiting) {
      const start = this.#at
      const rest = this.#chunk.length - start
      if (this.#size > 0 || rest < messageHeaderBytes || rest < 1 + readInt32(this.#chunk, start + 1)) {
        if (!this.#gather()) return false
        this.#size = 0
        if (this.#read(this.#open, this.#needed)) return true
      } else {
        this.#at += 1 + readInt32(this.#chunk, start + 1)
        if (this.#read(this.#chunk, this.#at, start)) return true
      }
    }
    return false
  }

  goOn (): void {
    this.isWaiting = false
    this.#mayBeLarge = true
  }

  /** After a large row. */
  shrink (): void {
    this.#mayBeLarge = false
    if (this.#size === 0 && this.#open.length > smallBytes) this.#open = Buffer.allocUnsafe(smallBytes)
  }

  /** The row of a message from `start` to `end`; false: it is the end of all. */
  #read (bytes: Buffer, end: number, start = 0): boolean {
    let at = start + messageHeaderBytes
    if (this.#isFirst) at = this.#readHeader(bytes, at, end)
    if (at === end) return false // a header alone
    const fields = end - at < 2 ? 0 : bytes.readInt16BE(at)
    at += 2
    if (fields === -1) {
      this.isComplete = true
      return false
    }
    if (fields !== this.#fields) throw new Error(`the COPY stream has rows of ${fields} fields, not of ${this.#fields}`)
    const { starts, ends } = this.row
    for (let i = 0; i < fields; i++) {
      const length = at + 4 > end ? Infinity : readInt32(bytes, at)
      at += 4
      if (length > end - at) throw new Error('the COPY stream has a row that goes beyond its message')
      starts[i] = length < 0 ? -1 : at
      if (length > 0) at += length
      ends[i] = at
    }
    this.row.bytes = bytes
    return true
  }

  /** It shares a message with the first row, or with the end. */
  #readHeader (bytes: Buffer, at: number, end: number): number {
    if (end - at < headerBytes || signature.compare(bytes, at, at + signature.length) !== 0) {
      throw new Error('the COPY stream is not in binary format')
    }
    this.#isFirst = false
    return at + headerBytes + bytes.readInt32BE(at + headerBytes - 4)
  }

  /** Takes no more from the chunk than the open message needs; whether it is whole. */
  #gather (): boolean {
    if (this.#size === 0) this.#needed = messageHeaderBytes
    if (!this.#take()) return false
    if (this.#needed > messageHeaderBytes) return true
    this.#needed = 1 + readInt32(this.#open, 1)
    return this.#take()
  }

  #take (): boolean {
    if (this.#needed >= largeRowBytes && !this.#mayBeLarge) {
      this.isWaiting = true
      return false
    }
    this.#reserve(this.#needed)
    const taken = Math.min(this.#needed - this.#size, this.#chunk.length - this.#at)
    this.#chunk.copy(this.#open, this.#size, this.#at, this.#at + taken)
    this.#at += taken
    this.#size += taken
    return this.#size === this.#needed
  }

  #reserve (bytes: number): void {
    if (bytes <= this.#open.length) return
    const larger = Buffer.allocUnsafe(bytes + smallBytes)
    this.#open.copy(larger, 0, 0, this.#size)
    this.#open = larger
  }
}

/** Buffer's own looks at its arguments first. */
function readInt32 (bytes: Buffer, at: number): number {
  return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!
}
