import { createHash, type KeyObject } from 'node:crypto'
import { createDataKey, encrypt, toCiphertextSize, wrapDataKey, type Keyring } from '@fhir-bulk-export/core/crypto'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { intendFile, recordFile, type IntendedFile } from '@fhir-bulk-export/core/exports'
import { toFileKey, type ContentStore, type StoredFile } from '@fhir-bulk-export/core/store'
import { withSpan } from '@fhir-bulk-export/core/tracing'
import type { Kysely } from 'kysely'
import { Interruption } from '../interruption.ts'

/** A piece of NDJSON: whole lines. The bytes are good until the next piece is asked for. */
export interface Lines { bytes: Buffer, count: number }

/** `keyring` is undefined where files are not encrypted; it has to be said. */
export interface WriteResources { db: Kysely<Database>, store: ContentStore, keyring: Keyring | undefined }

/**
 * Stores one file: the ledger first, then the bytes (pinned), then what they turned out to be. An attempt that is no
 * longer the export's own is stopped at either end, and what could not be written down is not kept. Of an encrypted file the store
 * sees nothing but ciphertext; its data key is in no other place than memory until it is written down, wrapped, with the rest.
 */
export async function writeFile (
  resources: WriteResources, file: IntendedFile, lines: AsyncIterable<Lines>, signal: AbortSignal
): Promise<void> {
  const attributes = { 'fhir_bulk_export.list': file.list, 'fhir_bulk_export.type': file.type }
  await withSpan('file', { attributes }, async (setAttributes) => {
    const { count, size } = await storeFile(resources, file, lines, signal)
    setAttributes({ 'fhir_bulk_export.resources': count, 'fhir_bulk_export.bytes': size })
  })
}

async function storeFile ({ db, store, keyring }: WriteResources, file: IntendedFile, lines: AsyncIterable<Lines>, signal: AbortSignal) {
  if (!await intendFile(db, file)) throw new Interruption('lost')
  const hash = createHash('sha256')
  let count = 0
  let size = 0
  async function * measured () {
    for await (const piece of lines) {
      hash.update(piece.bytes)
      count += piece.count
      size += piece.bytes.length
      yield piece.bytes
    }
  }
  const dataKey = keyring === undefined ? undefined : createDataKey()
  const stored = await store.put(toFileKey(file), dataKey === undefined ? measured() : encrypt(measured(), dataKey, file), { signal })
  try {
    assertStoredWhole(stored, size, dataKey)
    const { cid, pin } = stored
    const wrapped = keyring === undefined || dataKey === undefined ? {} : wrapDataKey(dataKey, keyring[0], file, size)
    if (!await recordFile(db, file, { cid, pin, size, sha256: hash.digest('hex'), count, ...wrapped })) throw new Interruption('lost')
  } catch (error) {
    // If its pin cannot be taken now, the cleanup finds it.
    await store.drop(stored).catch(() => {})
    throw error
  }
  return { count, size }
}

function assertStoredWhole ({ key, size }: StoredFile, plaintextSize: number, dataKey: KeyObject | undefined): void {
  const expected = dataKey === undefined ? plaintextSize : toCiphertextSize(plaintextSize)
  if (size !== expected) throw new ServiceError('STORE_FAILED', `The content store took ${size} of ${expected} bytes of ${key}`)
}

/**
 * Cuts a stream of lines into files of at most `maxBytes` (one piece more than that is a file of its own) and hands each
 * to `write`, in order. Nothing is written for a stream without lines.
 */
export async function splitFiles (
  lines: AsyncIterable<Lines>, maxBytes: number, write: (file: AsyncIterable<Lines>) => Promise<void>
): Promise<void> {
  const source = lines[Symbol.asyncIterator]()
  try {
    let next = await source.next()
    async function * oneFile () {
      let size = 0
      while (next.done !== true && (size === 0 || size + next.value.bytes.length <= maxBytes)) {
        size += next.value.bytes.length
        yield next.value
        next = await source.next()
      }
    }
    while (next.done !== true) await write(oneFile())
  } finally {
    await source.return?.()
  }
}
