import { findExport } from '@fhir-bulk-export/core/exports'
import { eventually, givenLargePatients } from '@fhir-bulk-export/core/testing/database'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import { startProxy } from '@fhir-bulk-export/stack/proxy'
import { sample } from '@fhir-bulk-export/stack/sample'
import t, { type Test } from 'tap'
import { openSystem } from '../src/system.ts'
import { assertExported, assertNothingLeft, startExport } from './fixtures/exports.ts'
import { ask, respondAsync } from './fixtures/http.ts'
import { openEmbeddedParts, openRedis } from './fixtures/parts.ts'
import { patients, stages } from './fixtures/stages.ts'

/** A worker that the network parts from its servers, with and without telling it. */

t.jobs = 2

async function open (t: Test, hasRedis = false) {
  const embedded = await openEmbeddedParts(t)
  const parts = hasRedis ? { ...embedded, queueUrl: await openRedis(t) } : embedded
  const system = await openSystem(t, parts)
  await givenLargePatients(system.db, patients)
  return { parts, system }
}

const ways = ['cut', 'silence'] as const

for (const part of sample('loses PostgreSQL', 1, ways)) {
  t.test(`a worker that loses PostgreSQL in mid-file (${part}): another takes its export, and afterwards it works as before`,
    { buffered: true }, async (t) => {
      const { parts, system } = await open(t)
      const network = await startProxy(t, parts.databaseUrl)
      const breakpoint = await stages['in mid-file']?.(t, parts, system)
      const lonely = await system.startWorker({ DATABASE_URL: network.url, QUEUE_URL: network.url })
      const id = await startExport(system)
      await breakpoint?.reached()
      network[part]()
      const other = await system.startWorker()
      await breakpoint?.release()
      t.match(await assertExported(t, system, id, patients), { attempt: 2, failures: 1 })
      await eventually(async () => lonely.lines.some((line) => line.includes(id) && line.includes('attempt ended')))
      network.mend()
      await other.end('SIGTERM')
      await assertExported(t, system, await startExport(system), patients)
      await assertNothingLeft(t, system)
    })
}

for (const part of sample('loses Redis', 1, ways)) {
  t.test(`a worker that loses Redis (${part}): it goes on with what it runs, and hears of the next one`, {
    buffered: true, ...needs('redis'),
  }, async (t) => {
    const { parts, system } = await open(t, true)
    const network = await startProxy(t, parts.queueUrl)
    const breakpoint = await stages['in mid-file']?.(t, parts, system)
    const lonely = await system.startWorker({ QUEUE_URL: network.url })
    const id = await startExport(system)
    await breakpoint?.reached()
    network[part]()
    await breakpoint?.release()
    t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
    network.mend()
    t.match(await assertExported(t, system, await startExport(system), patients), { attempt: 1, failures: 0 })
    t.equal(await lonely.end('SIGTERM'), 0)
    await assertNothingLeft(t, system)
  })
}

t.test('an API that loses PostgreSQL without being told answers 503, and by itself again', { buffered: true }, async (t) => {
  const { parts, system } = await open(t)
  const network = await startProxy(t, parts.databaseUrl)
  const api = await system.startApi({ DATABASE_URL: network.url, QUEUE_URL: network.url })
  const kickOff = async () => await ask(api, '/Patient/$export', { headers: respondAsync })
  t.equal((await kickOff()).status, 202)
  network.silence()
  const refused = await kickOff()
  t.equal(refused.status, 503)
  t.ok(refused.headers['retry-after'])
  await eventually(async () => (await kickOff()).status === 202)
  await system.startWorker()
  const ids = (await system.db.selectFrom('bulk_export_jobs').select('id').execute()).map((row) => row.id)
  for (const id of ids) t.match(await eventually(async () => (await findExport(system.db, id))?.status === 'completed'), true)
})
