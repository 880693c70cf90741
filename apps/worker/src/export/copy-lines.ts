/**
 * COPY's text format, cut into lines and fields (PostgreSQL manual, COPY, Text Format).
 */

export const newline = 0x0a

/**
 * Whole lines, as many as a chunk completes. What a chunk leaves open is put together with what follows once its end has
 * come; all else is decoded where it stands.
 */
export async function * readLines (chunks: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  let pending: Buffer[] = []
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline)
    if (end === -1) {
      pending.push(chunk)
      continue
    }
    const first = pending.length === 0 ? -1 : chunk.indexOf(newline)
    const lines = first === end ? [] : chunk.toString('utf8', first + 1, end).split('\n')
    if (first !== -1) lines.unshift(Buffer.concat([...pending, chunk.subarray(0, first)]).toString())
    pending = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : []
    yield lines
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
