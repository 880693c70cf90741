import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Kysely, Transaction } from 'kysely'
import { unwrapDataKey, wrapDataKey } from '../crypto/data-key.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Database } from '../db/database.ts'
import { isServiceError } from '../errors.ts'
import { toFileKey } from '../store/file-key.ts'
import type { FileKey } from '../store/content-store.ts'
import type { FileRef } from '../store/file-key.ts'

export interface RewrapReport {
  rewrapped: number
  /** Files whose data key could not be unwrapped, by the id of the key that wraps it: it is not configured, or is another one. */
  failed: Map<FileKey, string>
}

const batchSize = 500
const pauseMs = 100

/**
 * Wraps every data key that another master key wraps with the keyring's first one, so that the other can be destroyed. Content
 * stays as it is. Keys that are destroyed or written down meanwhile are neither revived nor missed: a batch locks its rows and
 * leaves out those that somebody else holds, and it goes on until none but the failed ones is left.
 */
export async function rewrapKeys (db: Kysely<Database>, keyring: Keyring): Promise<RewrapReport> {
  const report: RewrapReport = { rewrapped: 0, failed: new Map() }
  for (;;) {
    report.failed.clear()
    let last: FileRef | undefined
    do {
      last = await db.transaction().execute(async (trx) => await rewrapBatch(trx, keyring, last, report))
    } while (last !== undefined)
    if (await countOthers(db, keyring) <= report.failed.size) return report
    await delay(pauseMs)
  }
}

/** In the order of their primary key, after `after`. Returns the last file looked at; undefined when there was none. */
async function rewrapBatch (trx: Transaction<Database>, keyring: Keyring, after: FileRef | undefined, report: RewrapReport): Promise<FileRef | undefined> {
  const [first] = keyring
  const rows = await otherKeys(trx, keyring)
    .select(['export_id', 'attempt', 'n', 'size', 'key_id', 'wrapped_key'])
    .$if(after !== undefined, (qb) => qb.where(sql<boolean>`(export_id, attempt, n) > (${after?.export_id}, ${after?.attempt}, ${after?.n})`))
    .orderBy('export_id').orderBy('attempt').orderBy('n')
    .limit(batchSize)
    .forUpdate().skipLocked()
    .execute()
  for (const { size, key_id: keyId, wrapped_key: wrapped, ...file } of rows) {
    if (size === null || keyId === null || wrapped === null) continue
    try {
      const dataKey = unwrapDataKey(keyring, file, { key_id: keyId, wrapped_key: wrapped }, size)
      await trx.updateTable('bulk_export_files').set(wrapDataKey(dataKey, first, file, size))
        .where('export_id', '=', file.export_id).where('attempt', '=', file.attempt).where('n', '=', file.n)
        .execute()
      report.rewrapped++
    } catch (error) {
      if (!isServiceError(error, 'KEY_UNUSABLE')) throw error
      report.failed.set(toFileKey(file), keyId)
    }
  }
  return rows.at(-1)
}

async function countOthers (db: Kysely<Database>, keyring: Keyring): Promise<number> {
  const { others } = await otherKeys(db, keyring).select((eb) => eb.fn.countAll<number>().as('others')).executeTakeFirstOrThrow()
  return others
}

function otherKeys (db: Kysely<Database>, [first]: Keyring) {
  return db.selectFrom('bulk_export_files').where('wrapped_key', 'is not', null).where('key_id', '<>', first.id)
}
