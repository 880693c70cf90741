import { createHash } from 'node:crypto'
import { sql, type Kysely } from 'kysely'
import type { Database } from '../db/database.ts'
import { deleteInBatches } from '../db/batches.ts'

export interface UsedAssertion {
  clientId: string
  jti: string
  expiresAt: Date
}

/**
 * Takes an assertion's `jti`, once a client while the assertion is valid, over all API processes (SMART App Launch 2.2,
 * client-confidential-asymmetric: "jti … not been previously encountered for the given iss within the maximum allowed lifetime").
 * @returns whether it was not taken before.
 */
export async function useAssertion (db: Kysely<Database>, { clientId, jti, expiresAt }: UsedAssertion): Promise<boolean> {
  const jtiSha256 = createHash('sha256').update(jti).digest('hex')
  const { rows } = await sql`
    INSERT INTO bulk_export_client_assertions AS used (client_id, jti_sha256, expires_at) VALUES (${clientId}, ${jtiSha256}, ${expiresAt})
    ON CONFLICT (client_id, jti_sha256) DO UPDATE SET expires_at = excluded.expires_at WHERE used.expires_at < now()
    RETURNING client_id`.execute(db)
  return rows.length > 0
}

export async function forgetExpiredAssertions (db: Kysely<Database>): Promise<number> {
  return await deleteInBatches(db, sql`bulk_export_client_assertions`, sql`expires_at < now()`)
}
