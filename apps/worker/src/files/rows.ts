import type { Row } from '@fhir-bulk-export/core/resources'
import { largeRowBytes } from './large-rows.ts'
import type { LargeRows } from './large-rows.ts'

/**
 * COPY's binary format, cut into rows (PostgreSQL manual, COPY, Binary Format): a header, then of each row the number of its fields and
 * of each field its length (-1: NULL) and its bytes, then -1 in place of a number.
 */

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const headerBytes = signature.length + 4 + 4 // flags, length of an extension
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
  #header: Buffer | undefined = Buffer.alloc(0)
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  // A row that a chunk left open: its bytes so far, where it is read next, and how many it takes to go on.
  #open: Buffer = Buffer.allocUnsafe(smallBytes)
  #size = 0
  #position = 0
  #needed = 0
  /** -1: their number. */
  #field = -1
  #isInField = false
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
    if (this.#header === undefined) return
    const header = Buffer.concat([this.#header, chunk])
    if (header.length >= signature.length && !header.subarray(0, signature.length).equals(signature)) throw new Error('the COPY stream is not in binary format')
    const end = header.length < headerBytes ? Infinity : headerBytes + header.readInt32BE(headerBytes - 4)
    this.#chunk = header.length < end ? Buffer.alloc(0) : header
    if (header.length < end) {
      this.#header = header
      return
    }
    this.#header = undefined
    this.#at = end
  }

  next (): boolean {
    if (this.isComplete || this.isWaiting) return false
    if (this.#size > 0) return this.#complete()
    if (this.#readInPlace()) return true
    const rest = this.#chunk.length - this.#at
    if (this.isComplete || rest === 0) return false
    this.#reserve(rest)
    this.#chunk.copy(this.#open, 0, this.#at)
    this.#at = this.#chunk.length
    this.#size = rest
    this.#position = 0
    this.#needed = 2
    this.#field = -1
    this.#isInField = false
    return this.#complete()
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

  /** A row that lies in the chunk as a whole. */
  #readInPlace (): boolean {
    const { starts, ends } = this.row
    const bytes = this.#chunk
    const end = bytes.length
    let at = this.#at
    if (end - at < 2 || this.#isEnd(bytes.readInt16BE(at))) return false
    at += 2
    for (let i = 0; i < this.#fields; i++) {
      if (end - at < 4) return false
      const length = bytes.readInt32BE(at)
      at += 4
      if (length > end - at) return false
      starts[i] = length < 0 ? -1 : at
      if (length > 0) at += length
      ends[i] = at
    }
    this.row.bytes = bytes
    this.#at = at
    return true
  }

  /** Takes no more from the chunk than the open row needs. */
  #complete (): boolean {
    for (;;) {
      if (this.#size < this.#needed && !this.#take()) return false
      if (this.#field === -1) {
        if (this.#isEnd(this.#open.readInt16BE(0))) return false
        this.#field = 0
        this.#position = 2
      } else if (this.#isInField) {
        this.#endField(this.#needed)
      } else {
        const length = this.#open.readInt32BE(this.#position)
        this.#position += 4
        this.row.starts[this.#field] = length < 0 ? -1 : this.#position
        if (length < 0) this.#endField(this.#position)
        else this.#isInField = true
        this.#needed = this.#position + Math.max(0, length)
        if (this.#isInField) continue
      }
      if (this.#field === this.#fields) {
        this.row.bytes = this.#open
        this.#size = 0
        return true
      }
      this.#needed = this.#position + 4
    }
  }

  #endField (at: number): void {
    this.row.ends[this.#field++] = at
    this.#position = at
    this.#isInField = false
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
    return this.#size >= this.#needed
  }

  #reserve (bytes: number): void {
    if (bytes <= this.#open.length) return
    const larger = Buffer.allocUnsafe(bytes + smallBytes)
    this.#open.copy(larger, 0, 0, this.#size)
    this.#open = larger
  }

  #isEnd (fields: number): boolean {
    if (fields === -1) {
      this.isComplete = true
      this.#size = 0
    } else if (fields !== this.#fields) {
      throw new Error(`the COPY stream has rows of ${fields} fields, not of ${this.#fields}`)
    }
    return this.isComplete
  }
}
