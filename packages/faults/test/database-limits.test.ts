import { ended, eventually, givenPatients } from '@fhir-bulk-export/core/testing/database'
import { findExport } from '@fhir-bulk-export/core/exports'
import { sql } from 'kysely'
import t from 'tap'
import { breakAt, breakAtRow } from '../src/breakpoint.ts'
import { openSystem, type Api, type System } from '../src/system.ts'
import { assertAlive } from './fixtures/alive.ts'
import { assertExported, assertNothingLeft } from './fixtures/exports.ts'
import { ask, assertError, isReady, kickOff, respondAsync, toExportId, toJson, type Answer } from './fixtures/http.ts'
import { createLimitedRole } from './fixtures/limited-role.ts'
import { openEmbeddedParts } from './fixtures/parts.ts'
import { openEmbedded, openService } from './fixtures/service.ts'
import { lockTable, watchSessions } from './fixtures/sessions.ts'

const patients = 100

const reasons = [
  ['08006', 'connection failure'],
  ['25P03', 'idle in transaction for too long'],
  ['25P04', 'transaction timeout'],
  ['40001', 'serialization failure'],
  ['40P01', 'deadlock'],
  ['53100', 'disk full'],
  ['53300', 'too many connections'],
  ['55P03', 'lock timeout'],
  ['57014', 'statement timeout'],
  ['57P01', 'shutdown'],
  ['57P03', 'starting up'],
  ['58030', 'I/O error'],
] as const

t.jobs = 2

/** Each by another caller, for polls have a limit of their own. */
async function askAtOnce (api: Api, id: string, n: number): Promise<Answer[]> {
  return await Promise.all(Array.from({ length: n }, async (_, i) => await ask(api, `/$export-status/${id}`, {
    claims: { sub: `${i}`, role: 'ADMIN' },
  })))
}

async function isRunning ({ db }: System, id: string): Promise<boolean> {
  return (await findExport(db, id))?.status === 'in_progress'
}

t.test('the table of exports is locked for longer than anybody waits: every request is answered, and a running export survives',
  { buffered: true }, async (t) => {
    const { parts, system, api, worker } = await openService(t, patients)
    const breakpoint = await breakAtRow(t, parts.databaseUrl, 'medical_records', `d${patients - 1}`)
    const id = await kickOff(api)
    await breakpoint.reached()

    const release = await lockTable(t, parts.databaseUrl, 'bulk_export_jobs')
    const answers = askAtOnce(api, id, 30)
    await (await watchSessions(t, parts.databaseUrl)).blocked('fhir-bulk-export-api', { atLeast: 10 })
    const ready = await ask(api, `${api.origin}/readyz`)
    t.equal(ready.status, 503, 'who has no connection left is not ready')
    t.match(toJson(ready.text), { down: ['database'] })
    t.equal((await ask(api, `${api.origin}/livez`)).status, 200)
    for (const answer of await answers) assertError(t, answer, 503, 'status')
    assertError(t, await ask(api, '/Patient/$export'), 503, 'kick-off')
    await release()

    for (const { status } of await askAtOnce(api, id, 30)) t.equal(status, 200)
    await breakpoint.release()
    await assertExported(t, system, id, patients)
    await assertExported(t, system, await kickOff(api), patients)
    await assertAlive(t, api, worker)
    await assertNothingLeft(t, system)

    await t.test('what PostgreSQL cannot do at the moment is 503, whatever the reason', async (t) => {
      for (const [state, reason] of reasons) {
        await sql`CREATE OR REPLACE FUNCTION watch.refuse() RETURNS trigger
          LANGUAGE plpgsql AS ${sql.lit(`BEGIN RAISE EXCEPTION USING ERRCODE = '${state}'; END`)}`.execute(system.db)
        await sql`CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON bulk_export_jobs FOR EACH ROW
          EXECUTE FUNCTION watch.refuse()`.execute(system.db)
        assertError(t, await ask(api, '/Patient/$export'), 503, reason)
      }
    })
  })

t.test('the server takes in no more connections: what needs one is answered with 503, and works again once there is room',
  { buffered: true }, async (t) => {
    const parts = await openEmbeddedParts(t)
    const role = await createLimitedRole(t, parts.databaseUrl, 100)
    const system = await openSystem(t, parts)
    await givenPatients(system.db, patients)
    const limited = { DATABASE_URL: role.databaseUrl }
    const [api, worker] = await Promise.all([system.startApi(limited), system.startWorker({ ...limited, EXPORT_ATTEMPTS: '100' })])
    const sessions = await watchSessions(t, parts.databaseUrl)
    const id = await kickOff(api)
    await assertExported(t, system, id, patients)

    await role.limit(0)
    await sessions.cut()
    for (const answer of await askAtOnce(api, id, 30)) assertError(t, answer, 503, 'status')
    assertError(t, await ask(api, '/Patient/$export'), 503, 'kick-off')
    await role.limit(3)
    await eventually(async () => await isReady(api))
    for (const answer of await askAtOnce(api, id, 30)) {
      if (answer.status !== 200) assertError(t, answer, 503, 'status')
    }
    await role.limit(100)
    await eventually(async () => (await askAtOnce(api, id, 30)).every(({ status }) => status === 200))
    await assertExported(t, system, await kickOff(api), patients)
    await assertAlive(t, api, worker)
  })

t.test('somebody has a table of the source locked: a cancel arrives all the same, and the worker takes the next export', { buffered: true },
  async (t) => {
    const { parts, system } = await openEmbedded(t, patients)
    const [api, worker] = await Promise.all([system.startApi(), system.startWorker({ WORKER_CONCURRENCY: '1' })])
    const sessions = await watchSessions(t, parts.databaseUrl)
    const release = await lockTable(t, parts.databaseUrl, 'source.consents')
    const waiting = await kickOff(api, { headers: respondAsync })
    await sessions.blocked('fhir-bulk-export-snapshot')
    const next = await kickOff(api, { headers: respondAsync })
    t.notOk(await isRunning(system, next), 'the only slot is taken')
    t.equal((await ask(api, `/$export-status/${waiting}`, { method: 'DELETE' })).status, 202)
    await eventually(async () => await isRunning(system, next))
    await sessions.blocked('fhir-bulk-export-snapshot', { exactly: 1 }) // PostgreSQL does not go on waiting for who is gone
    await release()
    await assertExported(t, system, next, patients)
    t.match(await ended(system, waiting), { status: 'cancelled', attempt: 1 })
    await assertAlive(t, api, worker)
    await assertNothingLeft(t, system)
  })

t.test('an API that stands still in the middle of its transaction is put out of it: others go on, and what it was asked is done or refused',
  { buffered: true }, async (t) => {
    const { parts, system } = await openEmbedded(t, patients)
    const [paused, api, worker] = await Promise.all([system.startApi(), system.startApi(), system.startWorker()])
    t.teardown(async () => { paused.kill('SIGCONT') })
    const breakpoint = await breakAt(t, parts.databaseUrl, { when: 'BEFORE INSERT', table: 'bulk_export_jobs' })
    const answer = ask(paused, '/Patient/$export')
    await breakpoint.reached()
    paused.kill('SIGSTOP')
    await breakpoint.release()

    // The same caller, whose kick-offs wait for each other.
    await assertExported(t, system, await kickOff(api), patients)
    paused.kill('SIGCONT')
    const outcome = await answer
    const id = toExportId(outcome)
    if (id === undefined) assertError(t, outcome, 503, 'kick-off')
    const known = await system.db.selectFrom('bulk_export_jobs').select('id').execute()
    t.equal(known.length, id === undefined ? 1 : 2, 'there is an export for each 202, and no other')
    await assertExported(t, system, await kickOff(paused), patients)
    await assertAlive(t, paused, api, worker)
  })
