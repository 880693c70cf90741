import { createHash } from 'node:crypto'
import type { Database } from '@fhir-bulk-export/core/db'
import { intendFile, recordFile } from '@fhir-bulk-export/core/exports'
import type { IntendedFile } from '@fhir-bulk-export/core/exports'
import { toFileKey } from '@fhir-bulk-export/core/store'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import type { Kysely } from 'kysely'
import { Interruption } from './ending.ts'

/** A piece of NDJSON: whole lines. */
export interface Lines { bytes: Buffer, count: number }

/**
 * Stores one file: the ledger first, then the bytes (pinned), then what they turned out to be. An attempt that is no
 * longer the export's own is stopped at either end.
 */
export async function writeFile (
  { db, store }: { db: Kysely<Database>, store: ContentStore }, file: IntendedFile, lines: AsyncIterable<Lines>, signal: AbortSignal
): Promise<void> {
  if (!await intendFile(db, file)) throw new Interruption('lost')
  const hash = createHash('sha256')
  let count = 0
  async function * measured () {
    for await (const piece of lines) {
      hash.update(piece.bytes)
      count += piece.count
      yield piece.bytes
    }
  }
  const { cid, pin, size } = await store.put(toFileKey(file), measured(), { signal })
  if (!await recordFile(db, file, { cid, pin, size, sha256: hash.digest('hex'), count })) throw new Interruption('lost')
}

/**
 * Cuts a stream of lines into files of at most `maxBytes` (one piece more than that is a file of its own) and hands each
 * to `write`, in order. Nothing is written for a stream without lines.
 */
export async function splitFiles (lines: AsyncIterable<Lines>, maxBytes: number, write: (file: AsyncIterable<Lines>) => Promise<void>): Promise<void> {
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
