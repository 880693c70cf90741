import { createDatabase } from '@fhir-bulk-export/core/db'
import type { Database, Pools } from '@fhir-bulk-export/core/db'
import type { Kysely } from 'kysely'
import type { Config } from './config.ts'

/** Longer than any statement on our own tables takes. Those that read the source have no limit (source/snapshot.ts). */
const statementTimeoutMs = 30_000

/** Connections to our own tables, `max` of them. */
export function openDatabase (config: Config, max: number, onError: (error: Error) => void, pools?: Pools): Kysely<Database> {
  return createDatabase(config.DATABASE_URL, { applicationName: 'fhir-bulk-export-worker', max, statementTimeoutMs, pools, onError })
}
