import type { ClientBase, Pool } from 'pg'

const asInvoker = 'public.bulk_export_oldest_transaction'
const asOwner = 'public.bulk_export_oldest_transaction_as_owner'

/**
 * The function by which this role learns when the oldest transaction of others began (db/migrations): its own eyes, if it may see the
 * sessions of others, or else those of the function's owner. Both fail with 42501 rather than see less than all sessions.
 */
export async function findOldestTransactionFunction (client: ClientBase | Pool): Promise<string> {
  const { rows: [row] } = await client.query<{ sees: boolean }>("SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees")
  return row?.sees === true ? asInvoker : asOwner
}
