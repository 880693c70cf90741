/**
 * COPY's text format, cut into lines and fields (PostgreSQL manual, COPY, Text Format).
 */

const newline = 0x0a

/** Whole lines, as many as a chunk completes. A row longer than a chunk is put together once, when its end has come. */
export async function * readLines (chunks: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  let pending: Buffer[] = []
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline)
    if (end === -1) {
      pending.push(chunk)
      continue
    }
    const head = chunk.subarray(0, end)
    const text = pending.length === 0 ? head.toString() : Buffer.concat([...pending, head]).toString()
    pending = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : []
    yield text.split('\n')
  }
  if (pending.length > 0) throw new Error('the COPY stream ended in the middle of a row')
}

/** The fields of a line; `\N` is null. */
export function toFields (line: string): Array<string | null> {
  const fields: Array<string | null> = line.split('\t')
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as string
    if (!field.includes('\\')) continue
    fields[i] = field === '\\N' ? null : field.replace(escapes, unescape)
  }
  return fields
}

// COPY TO writes no others: control characters by letter, and a doubled backslash.
const escapes = /\\([bfnrtv\\])/g
const controls: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function unescape (_match: string, escaped: string): string {
  return controls[escaped] ?? escaped
}
