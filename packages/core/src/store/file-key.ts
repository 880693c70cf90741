import type { FileKey } from './content-store.ts'

/** A UUID as PostgreSQL prints it, attempt and n counted from any number on. No separator of any path can be in it. */
const pattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d{1,10}\.\d{1,10}\.ndjson$/

export function toFileKey (exportId: string, attempt: number, n: number): FileKey {
  const key = `${exportId}.${attempt}.${n}.ndjson`
  assertFileKey(key)
  return key
}

export function isFileKey (name: string): name is FileKey {
  return pattern.test(name)
}

/** A key becomes a file name and a link name: what is not one of ours is a bug of the caller, and may be an attack. */
export function assertFileKey (key: string): asserts key is FileKey {
  if (!isFileKey(key)) throw new TypeError('Not a file key: <export id>.<attempt>.<n>.ndjson is expected')
}
