import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createTestDatabase, testRedisUrl } from '@fhir-bulk-export/stack/testing'
import { DelayedError, WaitingError } from 'bullmq'
import t from 'tap'
import type { Test } from 'tap'
import { assertQueueMigrated, createExportQueue, createExportWorker, migrateQueue } from '../../src/queue/index.ts'
import type { ExportProcessor } from '../../src/queue/index.ts'

/** The same contract on both backends. */
const backends: Array<{ name: string, open: (t: Test) => Promise<{ url: string, prefix?: string }>, skip: string | false }> = [
  { name: 'PostgreSQL', open: async (t) => ({ url: await createTestDatabase(t) }), skip: false },
  {
    name: 'Redis',
    open: async () => ({ url: testRedisUrl() ?? '', prefix: `test-${randomUUID()}` }),
    skip: testRedisUrl() === undefined ? 'there is no Redis' : false,
  },
]

for (const { name, open, skip } of backends) {
  t.test(name, { skip }, async (t) => {
    const { url, ...where } = await open(t)
    const options = { ...where, onError: (error: Error) => { t.comment(error.message) } }

    function openQueue (t: Test) {
      const queue = createExportQueue(url, options)
      t.teardown(queue.close)
      return queue
    }

    async function work (t: Test, processor: ExportProcessor) {
      const worker = createExportWorker(url, processor, { ...options, concurrency: 4 })
      t.teardown(async () => { await worker.close() })
      worker.run().catch((error: unknown) => { t.comment(error) })
      return worker
    }

    /** The ids of the next `n` jobs that a worker gets. */
    function collect (n: number) {
      const seen: string[] = []
      const { promise, resolve } = Promise.withResolvers<string[]>()
      const processor: ExportProcessor = async (job) => {
        seen.push(job.id ?? '')
        if (seen.length === n) resolve(seen)
      }
      return { processor, seen: promise }
    }

    await t.test('a job carries the export id and nothing of the export', async (t) => {
      const queue = openQueue(t)
      const id = randomUUID()
      const { promise, resolve } = Promise.withResolvers<unknown>()
      await queue.enqueue(id)
      await work(t, async (job) => { resolve({ id: job.id, data: job.data }) })
      t.same(await promise, { id, data: { version: 1 } })
    })

    await t.test('an export that is enqueued twice while it waits is one job', async (t) => {
      const queue = openQueue(t)
      const [twice, once_] = [randomUUID(), randomUUID()]
      await queue.enqueue(twice)
      await queue.enqueue(twice)
      await queue.enqueueAgain(twice)
      await queue.enqueue(once_)
      const { processor, seen } = collect(2)
      await work(t, processor)
      t.same((await seen).sort(), [twice, once_].sort())
    })

    await t.test('a finished job does not stand in the way of the next one of its id', async (t) => {
      const queue = openQueue(t)
      const id = randomUUID()
      const { processor, seen } = collect(2)
      const worker = await work(t, processor)
      const finished = once(worker, 'completed')
      await queue.enqueue(id)
      await finished
      await queue.enqueueAgain(id)
      t.same(await seen, [id, id])
    })

    await t.test('a failed job does not stand in the way either', async (t) => {
      const queue = openQueue(t)
      const id = randomUUID()
      let runs = 0
      const again = Promise.withResolvers<void>()
      const worker = await work(t, async () => {
        if (++runs === 1) throw new Error('the first run fails')
        again.resolve()
      })
      const failed = once(worker, 'failed')
      await queue.enqueue(id)
      await failed
      await queue.enqueueAgain(id)
      await again.promise
      t.equal(runs, 2)
    })

    await t.test('a job that is put back comes again, at once or when its time has come', async (t) => {
      const queue = openQueue(t)
      const id = randomUUID()
      let runs = 0
      const done = Promise.withResolvers<void>()
      await work(t, async (job, token) => {
        switch (++runs) {
          case 1:
            await job.moveToDelayed(Date.now() + 50, token)
            throw new DelayedError()
          case 2:
            await job.moveToWait(token)
            throw new WaitingError()
          default:
            done.resolve()
        }
      })
      await queue.enqueue(id)
      await done.promise
      t.equal(runs, 3)
    })

    await t.test('it answers a ping', async (t) => {
      await t.resolves(openQueue(t).ping())
    })
  })
}

t.test('a queue whose tables are missing is refused before BullMQ asks for them', async (t) => {
  const url = await createTestDatabase(t)
  await t.resolves(assertQueueMigrated(url))
  await t.rejects(assertQueueMigrated(url, 'elsewhere'), { code: 'SCHEMA_MISMATCH' })
  await migrateQueue(url, 'elsewhere')
  await t.resolves(assertQueueMigrated(url, 'elsewhere'))
  await t.resolves(assertQueueMigrated('redis://127.0.0.1:1'), 'Redis has none')
})

for (const scheme of ['redis', 'postgres']) {
  t.test(`a queue that cannot be reached refuses with UNAVAILABLE (${scheme})`, async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    server.close()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const queue = createExportQueue(`${scheme}://127.0.0.1:${address.port}`, { onError: () => {} })
    t.teardown(queue.close)
    await t.rejects(queue.enqueue(randomUUID()), { code: 'UNAVAILABLE' })
    await t.rejects(queue.enqueueAgain(randomUUID()), { code: 'UNAVAILABLE' })
    await t.rejects(queue.ping(), { code: 'UNAVAILABLE' })
  })
}
