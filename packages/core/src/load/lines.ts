import { createReadStream } from 'node:fs'

/** A line of a file, counted from 1: its text, or why it has none. */
export type Line = { readonly line: number, readonly bytes: number } & ({ readonly text: string } | { readonly problem: string })

/** No jsonb value can be longer, and the longest JavaScript string is twice that. */
const maxLineBytes = 0x0fff_ffff
const newline = 0x0a
const decoder = new TextDecoder('utf-8', { fatal: true }) // drops a byte order mark

/**
 * The lines of an NDJSON file that are not empty, one at a time: memory is bounded by the longest line that is accepted.
 * Takes `\n` and `\r\n`, a byte order mark, a last line without an end.
 */
export async function * readLines (path: string): AsyncGenerator<Line> {
  let parts: Buffer[] = []
  let bytes = 0
  let line = 0

  function take (part: Buffer): void {
    bytes += part.length
    if (bytes <= maxLineBytes) parts.push(part)
    else parts = [] // read on to its end, so that the next lines keep their numbers
  }
  function end (): Line | undefined {
    line++
    const taken = toLine(parts, line, bytes)
    parts = []
    bytes = 0
    return taken
  }

  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    let start = 0
    for (let stop = chunk.indexOf(newline); stop !== -1; stop = chunk.indexOf(newline, start)) {
      take(chunk.subarray(start, stop))
      start = stop + 1
      const taken = end()
      if (taken !== undefined) yield taken
    }
    if (start < chunk.length) take(chunk.subarray(start))
  }
  if (bytes > 0) {
    const taken = end()
    if (taken !== undefined) yield taken
  }
}

function toLine (parts: Buffer[], line: number, bytes: number): Line | undefined {
  if (bytes > maxLineBytes) return { line, bytes, problem: 'is longer than 256 MB, which no row can hold' }
  try {
    const text = decoder.decode(parts.length === 1 ? parts[0] : Buffer.concat(parts))
    return text.trim() === '' ? undefined : { line, bytes, text }
  } catch {
    return { line, bytes, problem: 'is not UTF-8' }
  }
}
