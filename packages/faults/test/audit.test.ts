import { ended, eventually } from '@fhir-bulk-export/core/testing/database'
import { sample } from '@fhir-bulk-export/stack/sample'
import { sql } from 'kysely'
import t from 'tap'
import { breakAt } from '../src/breakpoint.ts'
import { openSystem, type Api } from '../src/system.ts'
import { readTransitions } from '../src/transitions.ts'
import { assertAccounted, toEvent } from './fixtures/accounted.ts'
import { startExport } from './fixtures/exports.ts'
import { ask, kickOff, open } from './fixtures/http.ts'
import { openEmbeddedParts } from './fixtures/parts.ts'
import { openEmbedded } from './fixtures/service.ts'
import type { Stage } from './fixtures/stages.ts'
import { openStoppableSystem } from './fixtures/stopped-export.ts'

/**
 * Whatever dies between a change and its record: none is without the other. The other places where a worker dies have this asserted in
 * worker-killed.test.ts and cleanup.test.ts.
 */

/** Between a change and its record, in the transaction of both. */
const between = (event: string): Stage => async (owner, { databaseUrl }) =>
  await breakAt(owner, databaseUrl, { when: 'BEFORE INSERT', table: 'bulk_export_audit', condition: `NEW.event = '${event}'` })

t.test('a worker', { jobs: 3 }, async (t) => {
  const cases = {
    'it has begun, before that is recorded': between('started'), 'it is completed, before that is recorded': between('completed'),
  }
  for (const last of sample('audit of a worker', 1, ['lose', 'release'] as const)) {
    t.test(`its last words are ${last === 'lose' ? 'lost' : 'carried out'}`, { buffered: true }, async (t) => {
      const { system, killAt } = await openStoppableSystem(t, await openEmbeddedParts(t))
      let worker = await system.startWorker()
      for (const [stage, breakIn] of Object.entries(cases)) {
        await t.test(`killed while ${stage}`, async (t) => {
          const { id, next } = await killAt(t, breakIn, worker, last)
          worker = next
          t.equal((await ended(system, id)).status, 'completed')
          await assertAccounted(t, system)
        })
      }
    })
  }

  t.test('killed in a cleanup, when an export has expired, before that is recorded', { buffered: true }, async (t) => {
    const { parts, system } = await openEmbedded(t, 10)
    const worker = await system.startWorker()
    const id = await startExport(system)
    await ended(system, id)
    const breakpoint = await between('expired')(t, parts, system)
    await sql`UPDATE bulk_export_jobs SET expires_at = now() WHERE id = ${id}`.execute(system.db)
    await worker.end('SIGKILL')
    const second = system.startWorker() // its first cleanup
    await breakpoint.reached()
    ;(await second).kill('SIGKILL')
    await breakpoint.lose()
    await system.startWorker()
    await eventually(async () => (await readTransitions(system.db, id)).some(({ to }) => to === null))
    await assertAccounted(t, system)
  })
})

interface ApiCase {
  breakIn: Stage
  /** What is asked while the API is killed. */
  ask: (api: Api, id: string) => Promise<unknown>
  /** It may be answered before the API is killed. */
  isAnswered?: true
  /** What is left of it: a transaction that was not committed is none, whatever its last statement did. */
  left: string[]
}

const kickOffAgain = async (api: Api) => await ask(api, '/Patient/$export')
const apiCases: Record<string, ApiCase> = {
  'it has accepted an export, before that is recorded': { breakIn: between('requested'), ask: kickOffAgain, left: [] },
  'it has cancelled an export, before that is recorded': {
    breakIn: between('cancelled'), ask: async (api, id) => await ask(api, `/$export-status/${id}`, { method: 'DELETE' }), left: [],
  },
  'an export is accepted and recorded, before the worker is rung for': {
    breakIn: async (owner, { databaseUrl }) => await breakAt(owner, databaseUrl, { when: 'BEFORE INSERT', table: 'bullmq.job' }),
    ask: kickOffAgain, isAnswered: true, left: ['requested'], // the ring is waited for a second
  },
}

t.test('an API', { jobs: 3 }, async (t) => {
  const cases = Object.entries(apiCases).flatMap(([stage, apiCase]) => (['lose', 'release'] as const).map(
    (last) => ({ stage, last, ...apiCase })
  ))
  for (const { stage, last, breakIn, ask: send, isAnswered, left } of sample('audit of an API', 1, cases)) {
    t.test(`killed when ${stage}; its last words are ${last === 'lose' ? 'lost' : 'carried out'}`, { buffered: true }, async (t) => {
      const parts = await openEmbeddedParts(t)
      const system = await openSystem(t, parts)
      const api = await system.startApi()
      const id = await kickOff(api)
      // Its ring may come after its answer, and would stand at the breakpoint.
      await eventually(async () => (await sql`SELECT FROM bullmq.job`.execute(system.db)).rows.length > 0)
      const breakpoint = await breakIn(t, parts, system)
      const answer = send(api, id).then(() => 'answered', () => 'no answer')
      await breakpoint.reached()
      api.kill('SIGKILL')
      t.ok(await answer === 'no answer' || isAnswered)
      await breakpoint[last]()
      await eventually(
        async () => (await sql`SELECT FROM pg_stat_activity WHERE datname = current_database()
          AND application_name = 'fhir-bulk-export-api'`.execute(system.db)).rows.length === 0
      )
      t.same((await readTransitions(system.db)).map(toEvent), ['requested', ...left])
      await assertAccounted(t, system)
    })
  }

  t.test('killed in the middle of a download, or before its end is recorded: the next cleanup writes that it was sent', { buffered: true },
    async (t) => {
      const { parts, system } = await openEmbedded(t, 2_000)
      // More than the sockets between them hold: what nobody reads must not be sent to its end.
      await sql`UPDATE source.patients SET name = jsonb_build_array(jsonb_build_object('text', repeat('x', 10000)))`.execute(system.db)
      const api = await system.startApi()
      const worker = await system.startWorker()
      const id = await kickOff(api, {}, '?_type=Patient')
      await ended(system, id)
      await worker.end('SIGTERM')
      const breakpoint = await between('downloaded')(t, parts, system)
      const begun = await open(api, `/$export-file/${id}/Patient.1.ndjson`) // and not read
      const sent = await ask(api, `/$export-file/${id}/Patient.1.ndjson`, { headers: { range: 'bytes=0-99' } })
      t.equal(sent.status, 206)
      await breakpoint.reached()
      api.kill('SIGKILL')
      begun.on('error', () => {}).resume()
      await breakpoint.lose()
      const leases = await system.db.selectFrom('bulk_export_downloads').select('id').execute()
      t.equal(leases.length, 2, 'what was sent is not forgotten')
      await sql`UPDATE bulk_export_downloads SET lease_until = now() - interval '1 s'`.execute(system.db)
      await system.startWorker()
      await eventually(async () => (await system.db.selectFrom('bulk_export_downloads').select('id').execute()).length === 0)
      const records = await system.db.selectFrom('bulk_export_audit').selectAll().where('event', '=', 'downloaded').execute()
      t.equal(records.length, 2)
      for (const record of records) {
        t.match(record, {
          export_id: id, file_name: 'Patient.1.ndjson', subject: 'admin', bytes: null, outcome: 'failure', process: 'worker',
        })
      }
      await assertAccounted(t, system)
    })
})
