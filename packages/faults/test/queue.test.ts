import { isServiceError } from '@fhir-bulk-export/core/errors'
import { findExport } from '@fhir-bulk-export/core/exports'
import type { ExportQueue } from '@fhir-bulk-export/core/queue'
import { eventually, givenExport, givenLargePatients } from '@fhir-bulk-export/core/testing/database'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import { startRedis as startRedisOn } from '@fhir-bulk-export/stack/redis'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { openSystem } from '../src/system.ts'
import { assertExported, assertNothingLeft, longLease, startExport } from './fixtures/exports.ts'
import { assertDown, kickOff } from './fixtures/http.ts'
import { patients, stages } from './fixtures/stages.ts'

/** Redis forgets, is away, rings twice, and rings for nothing: a 202 that was given is kept. */

async function open (t: Test) {
  const first = await startRedisOn()
  const port = Number(new URL(first.url).port)
  let running: typeof first | undefined = first
  const stopRedis = async () => {
    await running?.stop()
    running = undefined
  }
  const startRedis = async () => { running = await startRedisOn(port) }
  t.teardown(stopRedis)
  const parts = { databaseUrl: await createTestDatabase(t), queueUrl: first.url, storeUrl: pathToFileURL(t.testdir()).href }
  const system = await openSystem(t, parts)
  await givenLargePatients(system.db, patients)
  return { parts, system, stopRedis, startRedis }
}

/** Until it has rung: the queue has a second each time. */
async function ring (queue: ExportQueue, id: string): Promise<void> {
  await eventually(async () => await queue.enqueue(id).then(() => true, (error: unknown) => {
    if (!isServiceError(error, 'UNAVAILABLE')) throw error
    return false
  }))
}

t.test('Redis', { ...needs('redis'), jobs: 2 }, async (t) => {
  t.test('it is away at kick-off and for a while: the export is accepted, and done when it is back', { buffered: true }, async (t) => {
    const { system, stopRedis, startRedis } = await open(t)
    const api = await system.startApi()
    await system.startWorker()
    await stopRedis()
    const ids = [await kickOff(api), await kickOff(api)]
    await assertDown(t, api, 'queue')
    // The reconcilers ask in vain meanwhile, and say so.
    for (const id of ids) t.match(await findExport(system.db, id), { status: 'pending' })
    await startRedis()
    for (const id of ids) await assertExported(t, system, id, patients)
    t.match(await kickOff(api).then(async (id) => await assertExported(t, system, id, patients)), { attempt: 1 }, 'and the next ones are')
  })

  t.test('it comes back empty, with exports running and waiting', { buffered: true }, async (t) => {
    const { parts, system, stopRedis, startRedis } = await open(t)
    const breakpoint = await stages['in mid-file']?.(t, parts, system)
    await system.startWorker({ WORKER_CONCURRENCY: '1' })
    const running = await startExport(system)
    const waiting = await startExport(system)
    await breakpoint?.reached()
    await stopRedis()
    await startRedis()
    await breakpoint?.release()
    for (const id of [running, waiting]) t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
    await assertNothingLeft(t, system)
  })

  t.test('it comes back empty after the worker died: nobody has the job, and nobody the lease', { buffered: true }, async (t) => {
    const { parts, system, stopRedis, startRedis } = await open(t)
    const breakpoint = await stages['in mid-file']?.(t, parts, system)
    const worker = await system.startWorker()
    const id = await startExport(system)
    await breakpoint?.reached()
    worker.kill('SIGKILL')
    await breakpoint?.lose()
    await stopRedis()
    await startRedis()
    await system.startWorker()
    t.match(await assertExported(t, system, id, patients), { attempt: 2, failures: 1 })
    await assertNothingLeft(t, system)
  })

  t.test('a job is taken for stalled and given to a second worker while the first is at it: it is done once', { buffered: true },
    async (t) => {
      const { parts, system } = await open(t)
      const redis = new Redis(parts.queueUrl)
      t.teardown(() => { redis.disconnect() })
      const breakpoint = await stages['in mid-file']?.(t, parts, system)
      const environment = { EXPORT_LEASE: '12s' } // stalled jobs are looked for every two seconds, and the lease outlives a pause
      await system.startWorker(environment)
      const id = await startExport(system)
      await breakpoint?.reached()
      await system.startWorker(environment)
      const lock = `bull:fhir-bulk-export:${id}:lock`
      const first = await redis.get(lock)
      await eventually(async () => {
        const holder = await redis.get(lock)
        if (holder === first) await redis.del(lock)
        // The second one has it, or had it and has put it off until the lease is over.
        return (holder !== null && holder !== first) || await redis.zscore('bull:fhir-bulk-export:delayed', id) !== null
      })
      await breakpoint?.release()
      t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
      await assertNothingLeft(t, system)
    })

  t.test('the same job in two workers at once, for exports that wait: each is done once', { buffered: true }, async (t) => {
    const { parts, system } = await open(t)
    // another database of the same Redis: another queue
    const other = await openSystem(t, { ...parts, queueUrl: `${parts.queueUrl.slice(0, -1)}1` })
    const ids = []
    for (let i = 0; i < 8; i++) ids.push(await givenExport(system.db, { types: ['Patient', 'DocumentReference', 'Consent', 'Provenance'] }))
    await Promise.all([system, other].map(async ({ startWorker }) => await startWorker({ EXPORT_LEASE: longLease })))
    await Promise.all(ids.flatMap((id) => [ring(system.queue, id), ring(other.queue, id)]))
    for (const id of ids) t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
    await assertNothingLeft(t, system)
  })

  t.test('it refuses writes, as one that is full or a replica does: exports wait, and are done afterwards', { buffered: true },
    async (t) => {
      const { parts, system } = await open(t)
      const api = await system.startApi()
      const worker = await system.startWorker()
      const redis = new Redis(parts.queueUrl)
      t.teardown(() => { redis.disconnect() })
      await redis.config('SET', 'maxmemory', '1')
      const id = await kickOff(api)
      await eventually(async () => worker.lines.some((line) => line.includes('OOM')))
      t.match(await findExport(system.db, id), { status: 'pending' })
      await redis.config('SET', 'maxmemory', '0')
      t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
    })
})
