import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { findPublishedFiles } from '@fhir-bulk-export/core/exports'
import { eventually, givenLargePatients, givenPatients, keptKeys } from '@fhir-bulk-export/core/testing/database'
import { sample } from '@fhir-bulk-export/stack/sample'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { breakAt } from '../src/breakpoint.ts'
import { openSystem, type Api, type Parts, type System } from '../src/system.ts'
import { findViolations, readTransitions } from '../src/transitions.ts'
import { assertAlive } from './fixtures/alive.ts'
import { assertExported, assertNothingLeft } from './fixtures/exports.ts'
import { ask, assertError, kickOff, open, respondAsync, toJson } from './fixtures/http.ts'
import { allParts } from './fixtures/parts.ts'
import { watchSessions, type Sessions } from './fixtures/sessions.ts'
import { cleanupStages, patients, stages, type Stage } from './fixtures/stages.ts'

t.jobs = 2

/** Besides those of an attempt: what a worker writes at other moments. */
const otherStages: Record<string, Stage> = {
  'telling its progress': async (owner, { databaseUrl }) =>
    await breakAt(owner, databaseUrl, {
      when: 'BEFORE UPDATE', table: 'bulk_export_jobs',
      condition: "OLD.status = 'in_progress' AND NEW.available_at > OLD.available_at AND NEW.attempt = OLD.attempt",
    }),
}

for (const [i, { name, open: openParts, skip }] of allParts.entries()) {
  t.test(`an export is deleted at every stage of its life: it ends cancelled, and nothing of it stays (${name})`, {
    skip, buffered: true,
  }, async (t) => {
    const parts = await openParts(t)
    const system = await openSystem(t, parts)
    await givenLargePatients(system.db, patients)
    const [api, worker] = await Promise.all([system.startApi(), system.startWorker()])
    const service = { parts, system, api, sessions: await watchSessions(t, parts.databaseUrl) }
    for (const [j, [stage, breakIn]] of sample(`deleted ${name}`, 2, Object.entries({ ...stages, ...otherStages })).entries()) {
      await t.test(`while the worker stands ${stage}`, async (t) => {
        await deleteAt(t, service, breakIn, (i + j) % 2 === 0 ? 'respond-async' : 'status-in-body')
      })
    }
    await t.test('by many at once while it is published: one of them is told that it did it', async (t) => {
      await deleteByMany(t, service)
    })
    await assertExported(t, system, await kickOff(api), patients)
    await assertAlive(t, api, worker)
    await assertNothingLeft(t, system)
  })
}

interface Service { parts: Parts, system: System, api: Api, sessions: Sessions }

async function deleteAt (
  t: Test, { parts, system, api, sessions }: Service, breakIn: Stage, profile: 'respond-async' | 'status-in-body'
): Promise<void> {
  const breakpoint = await breakIn(t, parts, system)
  const id = await kickOff(api, { headers: profile === 'respond-async' ? respondAsync : {} })
  const path = `/$export-status/${id}`
  await breakpoint.reached()
  const deleting = ask(api, path, { method: 'DELETE' })
  await Promise.race([deleting, sessions.blocked('fhir-bulk-export-api')])
  await breakpoint.release()

  const isCard = profile === 'status-in-body'
  t.equal((await deleting).status, isCard ? 204 : 202)
  const again = await ask(api, path, { method: 'DELETE' })
  const status = await ask(api, path)
  if (isCard) {
    t.equal(again.status, 204)
    t.match([status.status, toJson(status.text)], [200, { status: 'cancelled' }])
  } else {
    assertError(t, again, 404, 'a second DELETE')
    assertError(t, status, 404, 'its status')
  }
  await eventually(async () => (await keptKeys(system.store)).length === 0)
  const transitions = await readTransitions(system.db, id)
  t.equal(transitions.at(-1)?.to, 'cancelled', transitions.map(({ to }) => to).join(' → '))
  t.same(findViolations(transitions), [])
}

async function expire ({ db }: System, ...ids: string[]): Promise<void> {
  await db.updateTable('bulk_export_jobs').set({ expires_at: sql`now()` }).where('id', 'in', ids).execute()
}

async function deleteByMany (t: Test, { parts, system, api, sessions }: Service): Promise<void> {
  const other = await system.startApi()
  const breakpoint = await stages['half-way through publishing'](t, parts, system)
  const id = await kickOff(api, { headers: respondAsync })
  await breakpoint.reached()
  const deleting = Array.from({ length: 10 }, async (_, i) => await ask(i % 2 === 0 ? api : other, `/$export-status/${id}`,
    { method: 'DELETE' }))
  await sessions.blocked('fhir-bulk-export-api', { exactly: deleting.length })
  await breakpoint.release()

  const answers = await Promise.all(deleting)
  t.equal(answers.filter(({ status }) => status === 202).length, 1)
  for (const answer of answers) if (answer.status !== 202) assertError(t, answer, 404, 'another DELETE')
  t.same((await readTransitions(system.db, id)).map(({ to }) => to), ['pending', 'in_progress', 'completed', 'cancelled'])
  await eventually(async () => (await keptKeys(system.store)).length === 0)
  await assertAlive(t, other)
}

for (const { name, open: openParts, skip } of sample('two cleanups', 1, allParts)) {
  t.test(`two cleanups at once: what has expired goes, and nothing else (${name})`, { skip, buffered: true }, async (t) => {
    const parts = await openParts(t)
    const system = await openSystem(t, parts)
    await givenPatients(system.db, 50)
    const [api, first] = await Promise.all([system.startApi(), system.startWorker()])
    const [kept = '', ...expired] = await Promise.all([kickOff(api), kickOff(api), kickOff(api), kickOff(api)])
    for (const id of [kept, ...expired]) await assertExported(t, system, id, 50)
    await first.end('SIGTERM')
    await expire(system, ...expired)

    const breakpoint = await cleanupStages['a file unpinned, not marked'](t, parts, system)
    const workers = await Promise.all([system.startWorker(), system.startWorker()])
    // A worker drops files in two places, the sweep and the cleanup: three that wait are of both.
    await (await watchSessions(t, parts.databaseUrl)).blocked('fhir-bulk-export-worker', { atLeast: 3 })
    await breakpoint.release()
    await assertNothingLeft(t, system)
    await assertExported(t, system, kept, 50)
    await assertAlive(t, ...workers)

    await eventually(async () => (await sql`SELECT FROM bulk_export_jobs`.execute(system.db)).rows.length === 1)
    await assertExported(t, system, kept, 50)
    await assertAlive(t, api, ...workers)
  })
}

for (const { name, open: openParts, skip } of sample('downloaded', 1, allParts)) {
  t.test(`an export goes while a client downloads it: the client gets all of it, nobody else begins, and then it is gone (${name})`, {
    skip, buffered: true,
  }, async (t) => {
    const system = await openSystem(t, await openParts(t))
    await givenPatients(system.db, 60)
    const attachment = [{ attachment: { contentType: 'text/plain', data: 'A'.repeat(500_000) } }] // more than the sockets hold
    await sql`UPDATE source.medical_records SET content = ${JSON.stringify(attachment)}`.execute(system.db)
    const [api, worker] = await Promise.all([system.startApi(), system.startWorker()])
    for (const how of sample(`downloaded ${name}`, 1, ['expires', 'is deleted'] as const)) {
      await t.test(`it ${how}`, async (t) => {
        const id = await kickOff(api, { headers: respondAsync })
        await assertExported(t, system, id, 60)
        const file = (await findPublishedFiles(system.db, id))?.find(({ type }) => type === 'DocumentReference')
        const path = `/$export-file/${id}/${file?.name}`

        const download = await open(api, path)
        await once(download, 'readable')
        if (how === 'expires') await expire(system, id)
        else await ask(api, `/$export-status/${id}`, { method: 'DELETE' })
        assertError(t, await ask(api, path), 404, 'another download')
        const cleaner = await system.startWorker()
        await eventually(async () => cleaner.lines.some((line) => line.includes('cleanup done')))

        const hash = createHash('sha256')
        for await (const chunk of download) hash.update(chunk as Buffer)
        t.equal(hash.digest('hex'), file?.sha256)
        await eventually(async () => (await keptKeys(system.store)).length === 0)
        await assertNothingLeft(t, system)
        await assertAlive(t, api, worker, cleaner)
      })
    }
  })
}
