import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { grants } from '@fhir-bulk-export/core/db'
import { findExport } from '@fhir-bulk-export/core/exports'
import { queueGrants } from '@fhir-bulk-export/core/queue'
import { ended, eventually, givenPatients, givenTypes } from '@fhir-bulk-export/core/testing/database'
import { createClientKey, getToken, keyFiles } from '@fhir-bulk-export/stack/client/key'
import { runScript } from '@fhir-bulk-export/stack/commands'
import { execute } from '@fhir-bulk-export/stack/sql'
import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import { openSystem } from '../src/system.ts'
import { assertExported, assertNothingLeft, isTrouble } from './fixtures/exports.ts'
import { ask, isReady, kickOff, toExportId, type Ask } from './fixtures/http.ts'
import { allowWatching, givenRoles, migrateWithRoles } from './fixtures/roles.ts'

const patients = 20
/** Of a type that the source does not have yet, and a group as a resource with members. */
const laterData = [
  ...['p1', 'p2', 'p3'].map((id) => ({
    resourceType: 'Observation', id: `o-${id}`, status: 'final', code: { text: 'x' }, effectiveDateTime: '2024-05-01',
    subject: { reference: `Patient/${id}` },
  })),
  {
    resourceType: 'Group', id: 'g1', type: 'person', actual: true,
    member: ['p1', 'p2'].map((id) => ({ entity: { reference: `Patient/${id}` } })),
  },
]
const readme = await readFile(new URL('../../../docker/README.md', import.meta.url), 'utf8')

t.test('API and worker do all they have to with roles of their own, that of the worker without pg_read_all_stats', async (t) => {
  const roles = await givenRoles(t)
  await migrateWithRoles(roles, { args: ['--source'] })
  const folder = t.testdir({ store: {}, data: { 'data.ndjson': laterData.map((resource) => JSON.stringify(resource)).join('\n') } })
  const { keyFile, jwksFile } = keyFiles(`${folder}/lab`)
  await createClientKey(`${folder}/lab`)
  const store = pathToFileURL(`${folder}/store`).href
  const system = await openSystem(t, { databaseUrl: roles.urls.superuser, queueUrl: roles.urls.superuser, storeUrl: store })
  await allowWatching(roles)
  await givenPatients(system.db, patients)
  const forWorker = { DATABASE_URL: roles.urls.worker, QUEUE_URL: roles.urls.worker }
  const worker = await system.startWorker(forWorker)

  await runScript('packages/core/src/cli/load.ts', { args: [`${folder}/data`], env: { DATABASE_URL: roles.urls.owner } })

  const api = await system.startApi({ DATABASE_URL: roles.urls.api, QUEUE_URL: roles.urls.api })
  const start = async (path: string, options?: Ask): Promise<string> => {
    const answer = await ask(api, path, options)
    const id = toExportId(answer)
    if (id === undefined) throw new Error(`${path} was answered with ${answer.status}: ${answer.text}`)
    return id
  }
  const id = await kickOff(api, {}, `?_type=${givenTypes.join()}`)
  await assertExported(t, system, id, patients)
  t.equal((await ask(api, `/$export-file/${id}/Patient.1.ndjson`)).status, 200)
  t.ok(await eventually(async () => await isReady(api)))
  for (const path of [
    '/Group', '/Group/g1', '/$export-status', '/metadata', `/$export-status/${id}`,
  ]) t.equal((await ask(api, path)).status, 200, path)
  t.match((await ask(api, '/Group/g1')).text, /"Patient\/p2"/)

  const onlySome = (reference: string): Ask => ({
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: { reference } }] }),
  })
  for (const [path, options, count] of [
    ['/$export', {}, 4 * patients + 4],
    ['/$export?_since=2000-01-01T00:00:00Z&_type=Patient', {}, patients],
    ['/$export?_type=Observation&_typeFilter=Observation%3Fdate%3Dge2024', {}, 3],
    ['/Group/g1/$export', {}, 2 * 5],
    ['/Group/g1/$export?_type=Patient', onlySome('Patient/p2'), 1],
    ['/Patient/$export?_type=Patient,Observation', onlySome('Patient/p3'), 2],
    ['/Patient/$export', { claims: { role: 'PATIENT', patient_id: 'p1' } }, 5],
  ] as const) {
    t.match(await ended(system, await start(path, options)),
      { status: 'completed', exported_resources: count, failure_reason: null }, path)
  }

  await runScript('packages/core/src/cli/client.ts', {
    args: ['add', 'lab', '--jwks-file', jwksFile, '--scope', 'system/*.rs'], env: { DATABASE_URL: roles.urls.owner },
  })
  const headers = {
    authorization: `Bearer ${await getToken({ clientId: 'lab', keyFile, tokenUrl: `${api.origin}/auth/token`, scope: 'system/*.rs' })}`,
  }
  t.match(await ended(system, await start('/Patient/$export?_type=Patient', { headers })), {
    status: 'completed', exported_resources: patients,
  })

  await runScript('packages/core/src/cli/verify.ts', { args: [id], env: { DATABASE_URL: roles.urls.worker, IPFS_URL: store } })

  const cancelled = await start('/$export')
  t.equal((await ask(api, `/$export-status/${cancelled}`, { method: 'DELETE' })).status, 204)
  t.match(await findExport(system.db, cancelled), { status: 'cancelled' })
  t.equal((await ask(api, `/$export-status/${id}`, { method: 'DELETE' })).status, 204)
  await assertNothingLeft(t, system)

  // All is over: a worker cleans up when it starts.
  await system.db.updateTable('bulk_export_jobs').set({ expires_at: new Date(0) }).where('ended_at', 'is not', null).execute()
  await eventually(
    async () => (await system.db.selectFrom('bulk_export_jobs').select('id').where('dropped_at', 'is', null).execute()).length === 0
  )
  await eventually(
    async () => (await system.db.selectFrom('bulk_export_files').select('n').where('state', '<>', 'dropped').execute()).length === 0
  )
  await sql`UPDATE bulk_export_client_assertions SET expires_at = now() - interval '1 hour'`.execute(system.db)
  const cleaner = await system.startWorker(forWorker)
  await eventually(async () => cleaner.lines.some((line) => line.includes('cleanup done')))
  for (const { lines } of [api, worker, cleaner]) {
    t.strictSame(lines.filter((line) => /permission denied|42501/.test(line) || (isTrouble(line) && !line.includes('"level":40'))),
      [], 'nothing was refused')
  }
  t.equal((await sql`SELECT FROM bulk_export_client_assertions`.execute(system.db)).rows.length, 0, 'what nobody can use again is removed')
  t.ok(await eventually(async () => (await system.db.selectFrom('bulk_export_jobs').select('id').execute()).length === 0),
    'the rows are removed')
})

t.test('neither can do what it has no business with', async (t) => {
  const roles = await givenRoles(t)
  await migrateWithRoles(roles, { args: ['--source'] })
  await execute(roles.urls.owner, "SELECT source.create_relation('observation')")
  const denied = { code: '42501' }
  const month = `fhir_bulk_export.audit_${new Date().toISOString().slice(0, 7).replace('-', '_')}`
  const ofAudit = ['bulk_export_audit', month].flatMap((table) => [
    `UPDATE ${table} SET detail = ''`, `DELETE FROM ${table}`, `TRUNCATE ${table}`, `DROP TABLE ${table}`,
  ])
  for (const [name, statements] of [
    ['api', [
      'SELECT name FROM source.patients', 'SELECT resource FROM source.patients', 'SELECT * FROM source.medical_records',
      'SELECT id FROM source.observation',
      "INSERT INTO source.patients (id) VALUES ('p')", "UPDATE source.patient_groups SET name = ''",
      'DELETE FROM source.patient_group_members',
      'DELETE FROM bulk_export_jobs', 'INSERT INTO bulk_export_files DEFAULT VALUES', "SELECT bulk_export_oldest_transaction_as_owner('')",
      'CREATE TABLE public.t ()', 'CREATE TABLE source.t ()', "SELECT source.create_relation('encounter')", 'CREATE TEMP TABLE t ()',
      "SELECT bulk_export_keep_audit('1 day')",
    ]],
    ['worker', [
      "INSERT INTO source.patients (id) VALUES ('p')", 'DELETE FROM source.consents', 'TRUNCATE source.consents',
      'UPDATE source.observation SET id = id', 'INSERT INTO bulk_export_jobs DEFAULT VALUES',
      'CREATE TABLE public.t ()', 'CREATE TABLE source.t ()', "SELECT source.create_relation('encounter')", 'CREATE TEMP TABLE t ()',
      "SELECT bulk_export_oldest_transaction('')",
    ]],
  ] as const) {
    const client = new pg.Client({ connectionString: roles.urls[name] })
    await client.connect()
    for (const statement of [...statements, ...ofAudit]) await t.rejects(client.query(statement), denied, `${name}: ${statement}`)
    await client.end()
  }
})

t.test('where the source is another role\'s, migrate says each grant that is left, and neither starts before its owner has made them',
  async (t) => {
    const roles = await givenRoles(t)
    await execute(roles.urls.superuser,
    `CREATE SCHEMA site AUTHORIZATION ${roles.toName('site')}; CREATE SCHEMA source AUTHORIZATION ${roles.toName('site')}`)
    const bySite = async (statements: string): Promise<void> => { await execute(roles.urls.site, statements) }
    await bySite(`
    CREATE TABLE site.person (nr bigint, born date);
    INSERT INTO site.person VALUES (1, '2000-01-02');
    CREATE VIEW source.patients AS SELECT nr::text AS id, now() AS updated_at, born::text AS birth_date FROM site.person;
    CREATE VIEW source.encounter AS SELECT 'e'::text AS id, now() AS updated_at, '1'::text AS patient_id,
      '{"status": "finished", "class": {"code": "AMB"}}'::jsonb AS resource`)
    const [api, worker] = (['api', 'worker'] as const).map((role) => pg.escapeIdentifier(roles.toName(role)))

    const told = await migrateWithRoles(roles, { accepted: 2 })
    const left = told.split('\n').filter((line) => line.startsWith('GRANT'))
    t.strictSame(left, [
    `GRANT USAGE ON SCHEMA source TO ${api};`, `GRANT SELECT (id) ON source.patients TO ${api};`,
    `GRANT USAGE ON SCHEMA source TO ${worker};`, `GRANT SELECT ON source.patients TO ${worker};`,
    `GRANT SELECT ON source.encounter TO ${worker};`,
    ])
    const system = await openSystem(t, {
      databaseUrl: roles.urls.superuser, queueUrl: roles.urls.superuser, storeUrl: pathToFileURL(t.testdir()).href,
    })
    await allowWatching(roles)
    const forApi = { DATABASE_URL: roles.urls.api, QUEUE_URL: roles.urls.api }
    const forWorker = { DATABASE_URL: roles.urls.worker, QUEUE_URL: roles.urls.worker }
    const [refusedApi, refusedWorker] = await Promise.all([system.startApi(forApi), system.startWorker(forWorker)])
    t.notSame(await refusedApi.ended, 0)
    for (const line of left.slice(0, 2)) t.match(refusedApi.lines.join('\n').replaceAll('\\"', '"'), line)
    t.notSame(await refusedWorker.ended, 0)
    t.match(refusedWorker.lines.join('\n'), /source\.patients\.id may not be read by this role/)

    await bySite(left.join('\n'))
    t.notMatch(await migrateWithRoles(roles), /GRANT/)
    const [started] = await Promise.all([system.startApi(forApi), system.startWorker(forWorker)])
    t.match(await ended(system, await kickOff(started)), { status: 'completed', exported_resources: 2, failure_reason: null })
  })

t.test('the GRANTs of the README are all that the owner of a source has to make', async (t) => {
  const roles = await givenRoles(t)
  await execute(roles.urls.superuser, 'CREATE SCHEMA source')
  for (const view of ['patients', 'patient_groups', 'observation']) {
    await execute(roles.urls.superuser,
      `CREATE VIEW source.${view} AS SELECT 'a'::text AS id, now() AS updated_at, NULL::timestamptz AS deleted_at, '{}'::jsonb AS resource`)
  }
  await execute(roles.urls.superuser,
    "CREATE VIEW source.patient_group_members AS SELECT 'a'::text AS id, now() AS updated_at, 'a'::text AS group_id, 'a'::text AS " +
    'patient_id')
  const [, grantsOfOwner] = /```sql\n(GRANT USAGE ON SCHEMA source[^]*?)```/.exec(readme) ?? []
  if (grantsOfOwner === undefined) throw new Error('the README does not say what has to be granted')
  await execute(roles.urls.superuser,
    grantsOfOwner.replaceAll('fhir_bulk_export_api', roles.toName('api')).replaceAll('fhir_bulk_export_worker', roles.toName('worker')))
  await execute(roles.urls.superuser, 'CREATE VIEW source.encounter AS SELECT * FROM source.observation')
  t.match(await migrateWithRoles(roles), /^granted: .*_api\ngranted: .*_worker$/m)
})

t.test('the README lists each grant', async (t) => {
  for (const grant of [...grants.api, ...grants.worker, ...queueGrants]) t.ok(readme.includes(`\`${grant}\``), grant)
})
