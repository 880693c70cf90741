import { closeSync, openSync, readSync } from 'node:fs'

/** A ring of some hundred keys; a longer file is another one. */
const maxBytes = 64 * 1024

/**
 * The text of a file, without the newline that editors and `echo` put at its end. No more than the limit is read, of whatever it is.
 * @throws Error whose message completes the sentence "NAME_FILE: …", without the path and what stands in it.
 */
export function readSecretFile (path: string): string {
  const bytes = readAtMost(path, maxBytes)
  if (bytes === undefined) throw new Error(`has more than ${maxBytes / 1024} KiB`)
  const text = toText(bytes).replace(/\r?\n$/, '')
  if (text === '') throw new Error('is empty')
  return text
}

/** Undefined where there is more. */
function readAtMost (path: string, limit: number): Buffer | undefined {
  const buffer = Buffer.alloc(limit + 1)
  let size = 0
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    for (let read = -1; read !== 0 && size <= limit; size += read) read = readSync(file, buffer, size, buffer.length - size, null)
  } catch (cause) {
    throw new Error(`cannot be read (${cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'})`, { cause })
  } finally {
    if (file !== undefined) closeSync(file)
  }
  return size > limit ? undefined : buffer.subarray(0, size)
}

function toText (bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Error('is not text in UTF-8', { cause })
  }
}
