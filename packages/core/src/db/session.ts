import type { ClientBase } from 'pg'
import { ServiceError } from '../errors.ts'

/**
 * What every session of ours is set to. A database, a role or a server may have other defaults, and each of these would change what is
 * read, how it is written, or how long it may take. Settings that the server does not know are left out.
 */
const settings = {
  DateStyle: 'ISO, YMD',
  TimeZone: 'UTC',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1', // the shortest text that is exactly the number
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  row_security: 'off', // an error instead of fewer rows
  restrict_nonsystem_relation_kind: '', // else views cannot be read
  default_transaction_isolation: 'read committed', // what the guarded UPDATEs are made for
  default_transaction_deferrable: 'off',
  lock_timeout: '0',
  transaction_timeout: '0',
  idle_session_timeout: '0',
  exit_on_error: 'off',
}

/** What cannot or must not be set, with the one value that will do. */
const demanded = {
  default_transaction_read_only: {
    fits: (value: string) => value === 'off',
    why: 'the service writes; where it keeps clients from a server that is no longer the primary, the address is wrong'
  },
  server_encoding: {
    fits: (value: string) => value !== 'SQL_ASCII',
    why: 'what its texts mean is not known, so they cannot be put into UTF-8'
  },
  session_replication_role: { fits: (value: string) => value === 'origin', why: 'triggers that move updated_at do not run' },
  zero_damaged_pages: { fits: (value: string) => value === 'off', why: 'rows of damaged pages are left out in silence' },
  ignore_checksum_failure: { fits: (value: string) => value === 'off', why: 'damaged rows are read as if they were whole' },
  track_activities: { fits: (value: string) => value === 'on', why: 'transactionTime depends on when the transactions of others began' },
}

export interface SessionOptions {
  statementTimeoutMs?: number | undefined
  idleInTransactionTimeoutMs?: number | undefined
  /** Of sessions that only read. */
  acceptsStandby?: boolean
  /** Where names without a schema are looked for, as SQL; default: where migrate makes the service's tables. */
  searchPath?: string
}

/** `options` of a connection: what counts from its login on, and so for the statement that makes the session ours, and before it. */
export function toStartupOptions (statementTimeoutMs = 0): string {
  return `-c statement_timeout=${statementTimeoutMs} -c idle_session_timeout=0`
}

/**
 * Makes a new session ours, in one statement. To be called before its first other one.
 * @throws ServiceError UNAVAILABLE when the server is a standby: a connection to it would be kept, and never be able to write.
 * @throws ServiceError SETTING_REFUSED that names the setting.
 */
export async function prepareSession (
  client: ClientBase,
  { statementTimeoutMs = 0, idleInTransactionTimeoutMs = 0, acceptsStandby = false, searchPath = 'public' }: SessionOptions = {}
): Promise<void> {
  const own = {
    ...settings, search_path: searchPath, statement_timeout: String(statementTimeoutMs),
    idle_in_transaction_session_timeout: String(idleInTransactionTimeoutMs)
  }
  const { rows: [found] } = await client.query<{ is_standby: boolean, demanded: Array<string | null> }>(`
    SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
      ARRAY(SELECT pg_catalog.current_setting(name, true) FROM pg_catalog.unnest($3::text[]) WITH ORDINALITY AS d (name, n) ORDER BY n)
        AS demanded,
      (SELECT pg_catalog.count(pg_catalog.set_config(name, value, false)) FROM ROWS FROM
        (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS s (name, value)
        WHERE pg_catalog.current_setting(name, true) IS NOT NULL)`,
  [Object.keys(own), Object.values(own), Object.keys(demanded)])
  if (found === undefined || (found.is_standby && !acceptsStandby)) {
    throw new ServiceError('UNAVAILABLE', 'PostgreSQL is a standby at this address, and takes no writes')
  }
  const problems = Object.entries(demanded).flatMap(([name, { fits, why }], i) => {
    const value = found.demanded[i]
    return value == null || fits(value) ? [] : [`${name} is ${value}: ${why}`]
  })
  if (problems.length > 0) {
    throw new ServiceError('SETTING_REFUSED',
    `PostgreSQL cannot be used as this database, role or server sets it:\n${problems.join('\n')}`)
  }
}

/**
 * For the rest of a transaction that reads the source: names that a site's functions leave without a schema are found where the site
 * says (the default of database or role), and those of PostgreSQL itself come first.
 */
export const useSearchPathOfSite = `SELECT set_config('search_path', concat_ws(', ', 'pg_catalog', nullif(reset_val, '')), true)
  FROM pg_catalog.pg_settings WHERE name = 'search_path'`
