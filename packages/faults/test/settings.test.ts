import { randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { eventually, givenPatients } from '@fhir-bulk-export/core/testing/database'
import pg from 'pg'
import t, { type Test } from 'tap'
import { openSystem, type Api } from '../src/system.ts'
import { assertAlive } from './fixtures/alive.ts'
import { ask, isReady, kickOff, respondAsync, toJson } from './fixtures/http.ts'
import { openPostgres } from './fixtures/own-postgres.ts'

/**
 * Defaults of a database, a role or a server that would change what is read, how, or for how long. What is refused instead is in
 * apps/worker/test/settings.test.ts.
 */
const harmless = {
  DateStyle: 'SQL, DMY',
  TimeZone: 'Asia/Kolkata',
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  backslash_quote: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  quote_all_identifiers: 'on',
  client_encoding: 'LATIN1',
  search_path: 'decoy, pg_catalog',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  statement_timeout: '100ms',
  lock_timeout: '10ms',
  transaction_timeout: '1s',
  idle_session_timeout: '1ms',
  idle_in_transaction_session_timeout: '10ms',
  restrict_nonsystem_relation_kind: 'view',
  row_security: 'on',
  jit: 'on',
  exit_on_error: 'on',
} as const

/** One of each kind of thing that PostgreSQL has to write down: instants, numbers, bytes (keys), text beyond ASCII, arrays. */
async function exportAll (api: Api): Promise<string[]> {
  const query = '?_since=2000-01-01T00:00:00Z&_typeFilter=Patient%3Fbirthdate%3Dlt2000'
  const id = await kickOff(api, { headers: respondAsync }, query)
  const { text } = await eventually(async () => {
    const answer = await ask(api, `/$export-status/${id}`, { claims: { sub: randomBytes(8).toString('hex'), role: 'ADMIN' } })
    return answer.status !== 202 && answer
  })
  const manifest = toJson(text) as { output: Array<{ type: string, count: number, url: string, extension: { sha256: string } }> }
  const file = manifest.output.find(({ type }) => type === 'Patient')
  if (file === undefined) throw new Error(text)
  const download = await ask(api, file.url)
  return [
    `${download.status} ${download.text.length}`,
    ...manifest.output.map(({ type, count, extension }) => `${type} ${count} ${extension.sha256}`),
  ].sort()
}

t.test('whatever database, role and server have as their defaults, an export is the same to the byte', async (t: Test) => {
  const postgres = await openPostgres(t)
  // Its own session is not to take part.
  const options = Object.entries(harmless).filter(([name]) => /timeout$|exit_on_error/.test(name)).map(([name]) => `-c ${name}=0`).join(' ')
  const admin = new pg.Client({ connectionString: postgres.url, application_name: 'fhir-bulk-export-watch', options })
  await admin.connect()
  t.teardown(async () => { await admin.end() })
  await admin.query(`CREATE ROLE exporter LOGIN SUPERUSER PASSWORD 'exporter'; CREATE SCHEMA decoy;
    CREATE FUNCTION decoy.count() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
    CREATE TABLE decoy.bulk_export_jobs (LIKE public.bulk_export_jobs)`)
  const url = new URL(postgres.url)
  url.username = 'exporter'
  url.password = 'exporter'

  const system = await openSystem(t, { databaseUrl: url.href, queueUrl: url.href, storeUrl: pathToFileURL(t.testdir()).href })
  await givenPatients(system.db, 20)
  await admin.query("UPDATE source.patients SET name = '[{\"family\":\"Müller\"}]'")
  const key = { EXPORT_ENCRYPTION_KEY: `k1:${randomBytes(32).toString('base64')}` }
  const [api, worker] = await Promise.all([system.startApi(key), system.startWorker(key)])
  const expected = await exportAll(api)
  t.equal(expected.length, 5)

  const set = (head: string) => Object.entries(harmless).map(
    ([name, value]) => `${head} SET ${name} = ${name === 'search_path' ? value : `'${value}'`}`
  )
  const levels = {
    database: { apply: set('ALTER DATABASE postgres'), undo: ['ALTER DATABASE postgres RESET ALL'] },
    role: { apply: set('ALTER ROLE exporter'), undo: ['ALTER ROLE exporter RESET ALL'] },
    server: { apply: [...set('ALTER SYSTEM'), 'SELECT pg_reload_conf()'], undo: ['ALTER SYSTEM RESET ALL', 'SELECT pg_reload_conf()'] },
  }
  for (const [level, { apply, undo }] of Object.entries(levels)) {
    for (const statement of apply) await admin.query(statement)
    // A new session has the new defaults.
    await admin.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'exporter'")
    await eventually(async () => await isReady(api))
    t.same(await exportAll(api), expected, `${Object.keys(harmless).length} settings of the ${level}`)
    for (const statement of undo) await admin.query(statement)
  }
  await assertAlive(t, api, worker)
})
