import type { FileKey } from './content-store.ts'

/** One file of one attempt, as the ledger knows it. */
export interface FileRef { export_id: string, attempt: number, n: number }

/** A UUID as PostgreSQL prints it, attempt and n counted from any number on. No separator of any path can be in it. */
const pattern = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,9})\.(\d{1,9})\.ndjson$/

export function toFileKey ({ export_id: exportId, attempt, n }: FileRef): FileKey {
  const key = `${exportId}.${attempt}.${n}.ndjson`
  assertFileKey(key)
  return key
}

/** The inverse; undefined for a name that is no key of ours. */
export function parseFileKey (name: string): FileRef | undefined {
  const [, exportId, attempt, n] = pattern.exec(name) ?? []
  return exportId === undefined ? undefined : { export_id: exportId, attempt: Number(attempt), n: Number(n) }
}

export function isFileKey (name: string): name is FileKey {
  return pattern.test(name)
}

/** A key becomes a file name and a link name: any other text is a bug of the caller, or an attack. @throws TypeError */
export function assertFileKey (key: string): asserts key is FileKey {
  if (!isFileKey(key)) throw new TypeError('Not a file key: <export id>.<attempt>.<n>.ndjson is expected')
}
