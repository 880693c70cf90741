import { assertMigrated, type Database } from '@fhir-bulk-export/core/db'
import { isServiceError, ServiceError } from '@fhir-bulk-export/core/errors'
import { hasSqlState } from '@fhir-bulk-export/core/postgres-errors'
import type { Source } from '@fhir-bulk-export/core/source'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { Config } from './config.ts'
import { toSourceError } from './source/source-error.ts'
import { readUsableSource } from './source/usable-source.ts'
import { assertSameDatabase } from './source/standby.ts'
import { findOldestTransactionFunction } from './source/oldest-transaction.ts'

/**
 * What must hold before a worker takes its first export. Refusing to start beats exporting less than everything.
 * `snapshots`: the connections by which it reads the source; `primary` where these are to a standby.
 * @throws ServiceError SCHEMA_MISMATCH, GRANT_MISSING, SOURCE_MISMATCH, SETTING_REFUSED
 */
export async function assertReady (db: Kysely<Database>, snapshots: Pool, primary?: Pool): Promise<void> {
  await assertMigrated(db)
  if (primary !== undefined) await assertSameDatabase(primary, snapshots)
  await assertSeesTransactions(primary ?? snapshots)
  const problems = await findUnreadable(snapshots, await readUsableSource(db))
  if (problems.length > 0) throw new ServiceError('SOURCE_MISMATCH', `The source cannot be exported:\n${problems.join('\n')}`)
}

/** What PostgreSQL would not even begin to read: a table under row-level security, also behind a view. */
async function findUnreadable (snapshots: Pool, { relations }: Source): Promise<string[]> {
  const problems: string[] = []
  for (const { relation } of relations) {
    await snapshots.query(`SELECT FROM source.${relation} LIMIT 0`).catch((error: unknown) => {
      const named = toSourceError(error, `source.${relation}`)
      if (!isServiceError(named)) throw error
      problems.push(named.message)
    })
  }
  return problems
}

/**
 * A CID is enough to read a file, wherever the node is reachable from. So health data in the clear goes to a node that is seen to be
 * private, and to no other unless the operator allows it.
 * @throws ServiceError STORE_PUBLIC
 */
export async function assertPrivate (
  store: ContentStore, config: Pick<Config, 'EXPORT_ENCRYPTION_KEY' | 'IPFS_ALLOW_PUBLIC'>
): Promise<void> {
  if (config.EXPORT_ENCRYPTION_KEY !== undefined || config.IPFS_ALLOW_PUBLIC) return
  const exposures = await store.findExposures()
  if (exposures.length === 0) return
  throw new ServiceError('STORE_PUBLIC', [
    'It cannot be seen that the node at IPFS_URL is private, so health data must not go there in the clear:',
    ...exposures.map((exposure) => `- ${exposure}`),
    'One of these is needed:',
    '- encrypt the files: set EXPORT_ENCRYPTION_KEY for worker and API',
    '- make the node private: ipfs bootstrap rm --all; ipfs config Routing.Type none; ' +
      'ipfs config --json Provide.Enabled false (before Kubo 0.38: ipfs config Reprovider.Interval 0); then restart it',
    '- IPFS_ALLOW_PUBLIC=true, if its privacy comes from elsewhere (a swarm key, a firewall)',
  ].join('\n'))
}

/** Where it does not see other roles' transactions, an export's transactionTime would be too late without a word. */
async function assertSeesTransactions (snapshots: Pool): Promise<void> {
  const oldestTransaction = await findOldestTransactionFunction(snapshots)
  await snapshots.query(`SELECT ${oldestTransaction}('')`).catch((cause: Error) => {
    if (!hasSqlState(cause, 'insufficientPrivilege')) throw cause
    throw new ServiceError('GRANT_MISSING', [
      `The worker may not see when other sessions' transactions began, which transactionTime depends on: ${cause.message}. ` +
        'One of these is needed:',
      '- GRANT pg_read_all_stats TO the role of the worker',
      `- GRANT pg_read_all_stats TO the owner of ${oldestTransaction}, ` +
        `and GRANT EXECUTE ON FUNCTION ${oldestTransaction}(text) TO the role of the worker`,
    ].join('\n'), { cause })
  })
}
