import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** A text in a file, which begins at a line, counted from 1: its bytes, or why it has none. */
export type Text = { readonly line: number } & ({ readonly bytes: Buffer } | { readonly problem: string })

/** No jsonb value can be longer. */
const maxBytes = 0x0fff_ffff
const newline = 0x0a
const byteOrderMark = Buffer.from('\uFEFF')

/**
 * The texts of a file: its lines that are not empty, one at a time, or, of `*.json`, all of it. `*.gz` is unpacked. Takes `\n` and
 * `\r\n`, a byte order mark, a last line without an end. Memory is bounded by the longest text that is accepted.
 */
export async function * readTexts (path: string, onRead: (bytes: number) => void): AsyncGenerator<Text> {
  const findEnd = (chunk: Buffer, start: number) => path.endsWith('.json') ? -1 : chunk.indexOf(newline, start)
  let pieces: Buffer[] = []
  let bytes = 0
  let line = 1

  function take (piece: Buffer): void {
    bytes += piece.length
    if (bytes <= maxBytes) pieces.push(piece)
    else pieces = [] // read on to its end, so that the next lines keep their numbers
  }
  function end (): Text | undefined {
    const text = toText(pieces, line, bytes)
    pieces = []
    bytes = 0
    line++
    return text
  }

  try {
    for await (const chunk of open(path, onRead)) {
      let start = 0
      for (let stop = findEnd(chunk, start); stop !== -1; stop = findEnd(chunk, start)) {
        take(chunk.subarray(start, stop))
        start = stop + 1
        const text = end()
        if (text !== undefined) yield text
      }
      if (start < chunk.length) take(chunk.subarray(start))
    }
    const last = end()
    if (last !== undefined) yield last
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error
    yield { line, problem: `cannot be read from here on (${error.code})` }
  }
}

function open (path: string, onRead: (bytes: number) => void): AsyncIterable<Buffer> {
  const chunks = tellOf(createReadStream(path, { highWaterMark: 1024 * 1024 }), onRead)
  return path.endsWith('.gz') ? pipeline(chunks, createGunzip({ chunkSize: 1024 * 1024 }), function atEnd () {}) : chunks
}

async function * tellOf (chunks: AsyncIterable<Buffer>, onRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    onRead(chunk.length)
    yield chunk
  }
}

function toText (pieces: Buffer[], line: number, length: number): Text | undefined {
  if (length > maxBytes) return { line, problem: 'is longer than 256 MB, which no row can hold' }
  const all = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
  if (!isUtf8(all)) return { line, problem: 'is not UTF-8' }
  const bytes = all.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? all.subarray(byteOrderMark.length) : all
  return isBlank(bytes) ? undefined : { line, bytes }
}

function isBlank (bytes: Buffer): boolean {
  return bytes.every(byte => byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === newline)
}
