import type { ColumnType, Generated, Selectable } from 'kysely'

/** RFC 7517: public keys. */
export interface KeySet { keys: Array<Record<string, unknown>> }

/** One row a client of SMART Backend Services. It is never removed: its id stays its own, in what is kept about exports, too. */
export interface BulkExportClientsTable {
  /** `client_id`. */
  id: string
  /** For a person. */
  name: string
  /** Its public keys; or else where they are. */
  jwks: ColumnType<KeySet | null, string | null, string | null>
  jwks_url: string | null
  /** All that it may be granted: `system/…` scopes that read. */
  scopes: string[]
  /** It exports these groups and nothing else. Null: it is not held to groups. */
  group_ids: string[] | null
  /** Limits of its own. Null: the service's. */
  max_active_exports: number | null
  max_kick_offs_per_minute: number | null
  max_requests_per_minute: number | null
  created_at: Generated<Date>
  /** When its keys, or their address, were last replaced. */
  keys_since: ColumnType<Date, Date | undefined, Date>
  /** From here on it gets no token, and those it has are refused. Set once, never taken back. */
  disabled_at: Date | null
}

export type ClientRow = Selectable<BulkExportClientsTable>
