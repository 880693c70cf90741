import { assertMigrated } from '@fhir-bulk-export/core/db'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Config } from './config.ts'
import { readUsableSource } from './export/usable-source.ts'

/** What must hold before a worker takes its first export. Refusing to start beats exporting less than everything. */
export async function assertReady (db: Kysely<Database>): Promise<void> {
  await assertMigrated(db)
  await assertSeesTransactions(db)
  await readUsableSource(db)
}

/**
 * Whoever knows a CID can read what it names, wherever the node is reachable from. So health data in the clear goes to a node that
 * can be seen to be private, and to no other unless the operator takes it upon himself.
 */
export async function assertPrivate (store: ContentStore, config: Pick<Config, 'EXPORT_ENCRYPTION_KEY' | 'IPFS_ALLOW_PUBLIC'>): Promise<void> {
  if (config.EXPORT_ENCRYPTION_KEY !== undefined || config.IPFS_ALLOW_PUBLIC) return
  const exposures = await store.findExposures()
  if (exposures.length === 0) return
  throw new ServiceError('STORE_PUBLIC', [
    'It cannot be seen that the node at IPFS_URL is private, so health data must not go there in the clear:',
    ...exposures.map((exposure) => `- ${exposure}`),
    'One of these is needed:',
    '- encrypt the files: set EXPORT_ENCRYPTION_KEY for worker and API',
    '- make the node private: ipfs bootstrap rm --all; ipfs config Routing.Type none; ipfs config --json Provide.Enabled false (before Kubo 0.38: ipfs config Reprovider.Interval 0); then restart it',
    '- IPFS_ALLOW_PUBLIC=true, if its privacy comes from elsewhere (a swarm key, a firewall)',
  ].join('\n'))
}

/** Without this grant other roles' xact_start reads NULL, and an export's transactionTime would be too late without a word. */
async function assertSeesTransactions (db: Kysely<Database>): Promise<void> {
  const { rows: [row] } = await sql<{ role: string, sees: boolean }>`
    SELECT current_user AS role, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees`.execute(db)
  if (row?.sees !== true) {
    throw new ServiceError('GRANT_MISSING', `The worker may not see other sessions' transactions, which transactionTime depends on. Run: GRANT pg_read_all_stats TO ${row?.role ?? 'its role'}`)
  }
}
