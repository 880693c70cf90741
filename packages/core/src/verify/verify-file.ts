import { createHash } from 'node:crypto'
import { toStoredPlaintext } from '../crypto/stored-file.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { FileRow } from '../db/tables/bulk-export-files.ts'
import { isServiceError } from '../errors.ts'
import type { ContentStore } from '../store/content-store.ts'
import { isStoreFailure } from '../store/store-error.ts'
import { startLineCheck } from './check-lines.ts'
import { startCidCheck } from './cid-check.ts'

/**
 * Fetches a published file and compares it with what the ledger says of it: the CID of what is stored, and of the plaintext its
 * SHA-256, its size, its lines. Returns what does not fit, a phrase each; none of them quotes the content.
 * @throws errors that are not about this file.
 */
export async function verifyFile (store: ContentStore, file: FileRow, keyring: Keyring | undefined): Promise<string[]> {
  try {
    return await compare(store, file, keyring)
  } catch (error) {
    // Our own messages name files and keys by their ids alone.
    if (isStoreFailure(error) || isServiceError(error, 'KEY_UNUSABLE')) return [error.message]
    throw error
  }
}

async function compare (store: ContentStore, file: FileRow, keyring: Keyring | undefined): Promise<string[]> {
  const plaintext = toStoredPlaintext(file, keyring)
  if (plaintext === undefined) return ['its key was destroyed']
  const cidCheck = startCidCheck()
  const lineCheck = startLineCheck(file.type)
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of plaintext.read({ ...store, read: (...args) => cidCheck.through(store.read(...args)) })) {
    hash.update(chunk)
    lineCheck.add(chunk)
    size += chunk.length
  }
  const { count, problems } = lineCheck.end()
  const sha256 = hash.digest('hex')
  const cid = await cidCheck.cid()
  return [
    ...(cid === file.cid ? [] : [`its CID is ${cid}, not ${file.cid}`]),
    ...(sha256 === file.sha256 ? [] : [`its SHA-256 is ${sha256}, not ${file.sha256}`]),
    ...(size === file.size ? [] : [`it has ${size} bytes, not ${file.size}`]),
    ...(count === file.count ? [] : [`it has ${count} lines, not ${file.count}`]),
    ...problems,
  ]
}
