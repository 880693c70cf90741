import { sql, type Insertable, type Kysely } from 'kysely'
import type { Database } from '../db/database.ts'
import type { BulkExportClientsTable, ClientRow, KeySet } from '../db/tables/bulk-export-clients.ts'

export type ClientKeys = { jwks: KeySet } | { jwksUrl: string }
export type NewClient = Omit<Insertable<BulkExportClientsTable>, 'jwks' | 'jwks_url' | 'created_at' | 'keys_since' | 'disabled_at'>

const standingColumns = ['id', 'group_ids', 'max_active_exports', 'max_kick_offs_per_minute',
  'max_requests_per_minute'] as const satisfies Array<keyof ClientRow>
export type ClientStanding = Pick<ClientRow, (typeof standingColumns)[number]>

/** RFC 3986, 2.3: unreserved characters, so that it looks the same wherever it stands. */
export function isClientId (text: string): boolean {
  return /^[A-Za-z0-9._~-]{1,64}$/.test(text)
}

/** @returns whether the id was free: a disabled client keeps its own. */
export async function addClient (db: Kysely<Database>, client: NewClient, keys: ClientKeys): Promise<boolean> {
  const added = await db.insertInto('bulk_export_clients').values({ ...client, ...toColumns(keys) })
    .onConflict((conflict) => conflict.doNothing()).returning('id').executeTakeFirst()
  return added !== undefined
}

/** All, disabled ones too, in the order of their ids. */
export async function findClients (db: Kysely<Database>): Promise<ClientRow[]> {
  return await db.selectFrom('bulk_export_clients').selectAll().orderBy('id').execute()
}

export async function findClient (db: Kysely<Database>, id: string): Promise<ClientRow | undefined> {
  return await db.selectFrom('bulk_export_clients').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Undefined for an unknown or disabled client. */
export async function findStanding (db: Kysely<Database>, id: string): Promise<ClientStanding | undefined> {
  return await db.selectFrom('bulk_export_clients').select(standingColumns).where('id', '=', id).where('disabled_at', 'is',
    null).executeTakeFirst()
}

/** Its tokens are refused from the commit on. @returns whether there was such a client that was not disabled. */
export async function disableClient (db: Kysely<Database>, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db.updateTable('bulk_export_clients').set({ disabled_at: sql`now()` })
    .where('id', '=', id).where('disabled_at', 'is', null).executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Replaces all keys. Its tokens stay valid. @returns as disableClient. */
export async function rotateClient (db: Kysely<Database>, id: string, keys: ClientKeys): Promise<boolean> {
  const { numUpdatedRows } = await db.updateTable('bulk_export_clients').set({ ...toColumns(keys), keys_since: sql`now()` })
    .where('id', '=', id).where('disabled_at', 'is', null).executeTakeFirst()
  return numUpdatedRows > 0n
}

function toColumns (keys: ClientKeys) {
  return 'jwks' in keys ? { jwks: JSON.stringify(keys.jwks), jwks_url: null } : { jwks: null, jwks_url: keys.jwksUrl }
}
