import { readFile } from 'node:fs/promises'
import { grants, queueGrants } from '@fhir-bulk-export/core/db'
import { givenPatients } from '@fhir-bulk-export/core/testing/database'
import { runScript } from '@fhir-bulk-export/stack/commands'
import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import type { Test } from 'tap'
import { openSystem } from '../src/system.ts'
import type { System } from '../src/system.ts'
import { assertExported, assertNothingLeft, ended } from './fixtures/exports.ts'
import { ask, kickOff } from './fixtures/http.ts'
import { openEmbeddedParts } from './fixtures/parts.ts'

const patients = 20

/** Logins of API and worker with what migrate grants them; URLs of the test's database. */
async function givenRoles (t: Test, { db }: System, databaseUrl: string): Promise<{ api: string, worker: string }> {
  const roles = { api: `api_${process.pid}`, worker: `worker_${process.pid}` }
  const names = sql.join(Object.values(roles).map((role) => sql.id(role)))
  for (const role of Object.values(roles)) await sql`CREATE ROLE ${sql.id(role)} LOGIN PASSWORD 'secret'`.execute(db)
  t.teardown(async () => {
    await sql`DROP OWNED BY ${names}`.execute(db)
    await sql`DROP ROLE ${names}`.execute(db)
  })
  await runScript('packages/core/src/cli/migrate.ts', { args: ['--api-role', roles.api, '--worker-role', roles.worker], env: { DATABASE_URL: databaseUrl, QUEUE_URL: databaseUrl } })
  await sql`GRANT USAGE ON SCHEMA watch TO ${names}`.execute(db)
  await sql`GRANT INSERT ON watch.transitions TO ${names}`.execute(db)
  const urlOf = (role: string) => Object.assign(new URL(databaseUrl), { username: role, password: 'secret' }).href
  return { api: urlOf(roles.api), worker: urlOf(roles.worker) }
}

t.test('API and worker do all they have to with roles of their own, that of the worker without pg_read_all_stats', async (t) => {
  const parts = await openEmbeddedParts(t)
  const system = await openSystem(t, parts)
  await givenPatients(system.db, patients)
  const urls = await givenRoles(t, system, parts.databaseUrl)
  const [api] = await Promise.all([
    system.startApi({ DATABASE_URL: urls.api, QUEUE_URL: urls.api }),
    system.startWorker({ DATABASE_URL: urls.worker, QUEUE_URL: urls.worker }),
  ])
  const id = await kickOff(api)
  await assertExported(t, system, id, patients)
  t.equal((await ask(api, `/$export-file/${id}/Patient.1.ndjson`)).status, 200)
  t.equal((await ask(api, '/Group')).status, 200)
  t.equal((await ask(api, '/$export-status')).status, 200)
  t.equal((await ask(api, `${api.origin}/readyz`)).status, 200)
  const some = await kickOff(api, {}, '?_since=2000-01-01T00:00:00Z&_type=Patient')
  t.match(await ended(system, some), { status: 'completed', exported_resources: patients })
  for (const exportId of [id, some]) t.equal((await ask(api, `/$export-status/${exportId}`, { method: 'DELETE' })).status, 204)
  await assertNothingLeft(t, system)
})

t.test('neither can do what it has no business with', async (t) => {
  const parts = await openEmbeddedParts(t)
  const system = await openSystem(t, parts)
  const urls = await givenRoles(t, system, parts.databaseUrl)
  for (const [name, statements] of [
    ['api', [
      'SELECT name FROM source.patients', 'SELECT * FROM source.medical_records', "INSERT INTO source.patients (id) VALUES ('p')", "UPDATE source.patient_groups SET name = ''",
      'DELETE FROM bulk_export_jobs', 'INSERT INTO bulk_export_files DEFAULT VALUES', "SELECT bulk_export_oldest_transaction_as_owner('')", 'CREATE TABLE public.t ()',
    ]],
    ['worker', [
      "INSERT INTO source.patients (id) VALUES ('p')", 'DELETE FROM source.consents', 'TRUNCATE source.consents', 'INSERT INTO bulk_export_jobs DEFAULT VALUES', 'CREATE TABLE public.t ()',
      "SELECT bulk_export_oldest_transaction('')",
    ]],
  ] as const) {
    const client = new pg.Client({ connectionString: urls[name] })
    await client.connect()
    for (const statement of statements) await t.rejects(client.query(statement), { code: '42501' }, `${name}: ${statement}`)
    await client.end()
  }
})

t.test('the README lists each grant', async (t) => {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8')
  for (const grant of [...grants.api, ...grants.worker, ...queueGrants]) t.ok(readme.includes(`\`${grant}\``), grant)
})
