import {
  createDatabase, createPool, snapshotApplicationName, type ConnectOptions, type Database, type Pools,
} from '@fhir-bulk-export/core/db'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { Config } from './config.ts'

/** Longer than any statement on our own tables takes. Those that read the source have no limit (source/snapshot.ts). */
const statementTimeoutMs = 30_000

/** Connections to our own tables, `max` of them. */
export function openDatabase (config: Config, max: number, onError: (error: Error) => void, pools?: Pools): Kysely<Database> {
  return createDatabase(config.DATABASE_URL, { applicationName: 'fhir-bulk-export-worker', max, statementTimeoutMs, pools, onError })
}

/** Connections that read the source: to the standby, where there is one. */
export function openSource (config: Config, options: Omit<ConnectOptions, 'applicationName' | 'acceptsStandby'>): Pool {
  const { DATABASE_URL, EXPORT_DATABASE_URL } = config
  const acceptsStandby = EXPORT_DATABASE_URL !== undefined
  return createPool(EXPORT_DATABASE_URL ?? DATABASE_URL, { applicationName: snapshotApplicationName, acceptsStandby, ...options })
}
