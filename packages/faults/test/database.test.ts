import { setTimeout as delay } from 'node:timers/promises'
import { eventually, givenExport, givenPatients, givenTypes } from '@fhir-bulk-export/core/testing/database'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import { sample } from '@fhir-bulk-export/stack/sample'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { breakAtRow } from '../src/breakpoint.ts'
import { openSystem, type Api, type System } from '../src/system.ts'
import { assertAlive } from './fixtures/alive.ts'
import { assertExported, assertNothingLeft } from './fixtures/exports.ts'
import { ask, assertError, isReady, kickOff, respondAsync, toExportId, toJson, type Answer } from './fixtures/http.ts'
import { openPostgres, type OwnPostgres } from './fixtures/own-postgres.ts'
import { openEmbeddedParts, openRedis } from './fixtures/parts.ts'
import { openEmbedded } from './fixtures/service.ts'
import { watchSessions } from './fixtures/sessions.ts'

const patients = 1_000
const stop = async (postgres: OwnPostgres) => { await postgres.stop() }
const abort = async (postgres: OwnPostgres) => { await postgres.crash('SIGQUIT') }
const kill = async (postgres: OwnPostgres) => { await postgres.crash('SIGKILL') }
const inPostgres = { open: async (_t: Test, { url }: OwnPostgres) => url, ...needs() }
const inRedis = { open: async (t: Test) => await openRedis(t), ...needs('redis') }

t.jobs = 2

for (const { name, end, queue } of sample('PostgreSQL ends', 1, [
  { name: 'restarted, the queue in Redis', end: stop, queue: inRedis },
  { name: 'restarted, the queue with it', end: stop, queue: inPostgres },
  { name: 'crashed, the queue in Redis', end: kill, queue: inRedis },
  { name: 'crashed, the queue with it', end: abort, queue: inPostgres },
])) {
  t.test(`PostgreSQL ${name}, in the middle of a file: the same processes go on, and the export is completed once`, {
    buffered: true, skip: queue.skip,
  }, async (t) => {
    const postgres = await openPostgres(t)
    const parts = { databaseUrl: postgres.url, queueUrl: await queue.open(t, postgres), storeUrl: `file://${t.testdir()}` }
    const system = await openSystem(t, parts)
    await givenPatients(system.db, patients)
    const [api, idleApi, worker] = await Promise.all([system.startApi(), system.startApi(), system.startWorker()])
    const before = await kickOff(api)
    await assertExported(t, system, before, patients)
    const breakpoint = await breakAtRow(t, parts.databaseUrl, 'medical_records', `d${patients - 1}`)
    const during = await kickOff(api)
    await breakpoint.reached()

    await end(postgres)
    await assertUnavailable(t, api, during, before)
    await assertUnavailable(t, idleApi, during, before)
    await postgres.start()

    await eventually(async () => await isReady(api) && await isReady(idleApi))
    await eventually(async () => await sql`SELECT 1`.execute(system.db).catch(() => undefined))
    const { attempt } = await assertExported(t, system, during, patients)
    t.ok(attempt > 1, 'the attempt that was cut off is not the one that was published')
    t.equal((await ask(api, `/$export-file/${before}/Patient.1.ndjson`)).status, 200)
    await assertExported(t, system, await kickOff(idleApi), patients)
    await assertAlive(t, api, idleApi, worker)
    await assertNothingLeft(t, system)
  })
}

async function assertUnavailable (t: Test, api: Api, running: string, completed: string): Promise<void> {
  for (const [path, method] of [
    ['/Patient/$export', 'GET'],
    ['/Patient/$export', 'POST'],
    [`/$export-status/${running}`, 'GET'],
    [`/$export-status/${completed}`, 'GET'],
    [`/$export-status/${running}`, 'DELETE'],
    ['/$export-status', 'GET'],
    [`/$export-file/${completed}/Patient.1.ndjson`, 'GET'],
    ['/Group', 'GET'],
  ] as const) assertError(t, await ask(api, path, { method }), 503, `${method} ${path}`)
  const ready = await ask(api, `${api.origin}/readyz`)
  t.equal(ready.status, 503)
  t.match(toJson(ready.text), { status: 'unavailable', down: ['database'] })
  t.equal((await ask(api, `${api.origin}/livez`)).status, 200)
  t.equal((await ask(api, '/metadata')).status, 200)
}

t.test('all connections cut, again and again, at any moment: what was accepted is completed once, every request is answered',
  { buffered: true }, async (t) => {
    const parts = await openEmbeddedParts(t)
    const system = await openSystem(t, parts)
    const sessions = await watchSessions(t, parts.databaseUrl)
    await givenPatients(system.db, patients)
    const [api, worker] = await Promise.all([
      system.startApi({ MAX_ACTIVE_EXPORTS: '1000' }),
      system.startWorker({ EXPORT_ATTEMPTS: '100', EXPORT_LEASE: '1s' }),
    ])
    const accepted = [await kickOff(api)]
    const answers: Array<[string, Answer]> = []
    const cuttingEnd = new AbortController()

    async function keepAsking (caller: number): Promise<void> {
      while (!cuttingEnd.signal.aborted) {
        const claims = { sub: `caller ${caller} ${answers.length}`, role: 'ADMIN' } // polls without a limit
        const started = accepted.length < 12 ? await ask(api, '/Patient/$export', { claims, headers: respondAsync }) : undefined
        if (started !== undefined) answers.push(['kick-off', started])
        const id = started === undefined ? undefined : toExportId(started)
        if (id !== undefined) accepted.push(id)
        answers.push(['status', await ask(api, `/$export-status/${accepted[0]}`, { claims })])
        answers.push(['list', await ask(api, '/$export-status', { claims })])
      }
    }

    async function keepCutting (): Promise<void> {
      const isCutOff = ([, { status }]: [string, Answer]) => status === 503
      for (let cuts = 0; cuts < 25 || !answers.some(isCutOff); cuts++) {
        await sessions.cut()
        await delay(Math.random() * 200)
      }
      cuttingEnd.abort()
    }

    await Promise.all([keepCutting(), keepAsking(1), keepAsking(2), keepAsking(3)])
    for (const [what, answer] of answers) {
      if (answer.status !== 200 && answer.status !== 202) assertError(t, answer, 503, what)
    }
    t.ok(answers.some(([, { status }]) => status === 503), 'requests were cut off, too')
    for (const id of accepted) await assertExported(t, system, id, patients)
    t.ok(await eventually(async () =>
      (await system.db.selectFrom('bulk_export_jobs').select('id').where('status', '<>', 'completed').execute()).length === 0
    ), 'none that nobody was told of is left behind')
    await assertAlive(t, api, worker)
    await assertNothingLeft(t, system)
  })

/** BullMQ looks up its version once for each connection that it opens: the `nth` to do so loses it there. */
async function cutAtOpening ({ db }: System, nth: number): Promise<void> {
  await sql`CREATE SEQUENCE watch.openings`.execute(db)
  await sql`ALTER TABLE bullmq.migration RENAME TO migration_kept`.execute(db)
  await sql`CREATE VIEW bullmq.migration AS WITH opening AS MATERIALIZED (SELECT nextval('watch.openings') AS n)
    SELECT kept.* FROM opening, bullmq.migration_kept AS kept WHERE
      CASE WHEN n = ${sql.lit(nth)} THEN pg_terminate_backend(pg_backend_pid()) ELSE true END`.execute(db)
}

t.test('a worker that is cut off from the queue as it opens it ends, and does not stay without ever taking an export', { buffered: true },
  async (t) => {
    const { system } = await openEmbedded(t, patients)
    const id = await givenExport(system.db, { types: givenTypes })
    await cutAtOpening(system, 2) // after the one that looks whether the queue is migrated; 2 and 3 are those of a worker's two queues
    t.equal(await (await system.startWorker()).ended, 1)
    await system.startWorker()
    await assertExported(t, system, id, patients)
  })

t.test('a worker that is cut off from the queue as it rings for what waits does so again', { buffered: true }, async (t) => {
  const { system } = await openEmbedded(t, patients)
  const id = await givenExport(system.db, { types: givenTypes })
  await cutAtOpening(system, 4)
  const worker = await system.startWorker()
  await assertExported(t, system, id, patients)
  await assertAlive(t, worker)
})
