import { assertMigrated } from '@fhir-bulk-export/core/db'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { findSourceProblems } from '@fhir-bulk-export/core/source'
import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** What must hold before a worker takes its first export. Refusing to start beats exporting less than everything. */
export async function assertReady (db: Kysely<Database>): Promise<void> {
  await assertMigrated(db)
  await assertSeesTransactions(db)
  const problems = await findSourceProblems(db)
  if (problems.length > 0) throw new ServiceError('SOURCE_MISMATCH', `The source cannot be exported:\n${problems.join('\n')}`)
}

/** Without this grant other roles' xact_start reads NULL, and an export's transactionTime would be too late without a word. */
async function assertSeesTransactions (db: Kysely<Database>): Promise<void> {
  const { rows: [row] } = await sql<{ role: string, sees: boolean }>`
    SELECT current_user AS role, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees`.execute(db)
  if (row?.sees !== true) {
    throw new ServiceError('GRANT_MISSING', `The worker may not see other sessions' transactions, which transactionTime depends on. Run: GRANT pg_read_all_stats TO ${row?.role ?? 'its role'}`)
  }
}
