import type { Transaction } from 'kysely'
import type { Database } from '../db/database.ts'

/**
 * Destroys the data keys of these exports' files: from the commit on the blocks and the live database do not suffice to read them. Their
 * SHA-256 goes as well, for a guess of a content could be checked by it. Call it in the transaction that ends the export or the attempt
 * and holds the export's row: `recordFile` locks that row first, so no key is recorded afterwards.
 */
export async function destroyKeys (trx: Transaction<Database>, exportIds: string[]): Promise<void> {
  if (exportIds.length === 0) return
  await trx.updateTable('bulk_export_files')
    .set({ wrapped_key: null, sha256: null })
    .where('export_id', 'in', exportIds)
    .where((eb) => eb.or([eb('wrapped_key', 'is not', null), eb('sha256', 'is not', null)]))
    .execute()
}
