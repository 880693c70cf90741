import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { getServerUrl, needs } from '@fhir-bulk-export/stack/optional-servers'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { DelayedError, WaitingError } from 'bullmq'
import pg from 'pg'
import t, { type Test } from 'tap'
import { assertQueueUsable, createExportQueue, createExportWorker, migrateQueue, type ExportProcessor } from '../../src/queue/index.ts'

/** A server that is there is waited for, however busy the machine is. */
const deadlineMs = 600_000

/** The same contract on both backends. */
const backends: Array<{ name: string, open: (t: Test) => Promise<{ url: string, prefix?: string }>, skip: string | false }> = [
  { name: 'PostgreSQL', open: async (t) => ({ url: await createTestDatabase(t) }), skip: false },
  {
    name: 'Redis',
    open: async () => ({ url: getServerUrl('redis'), prefix: `test-${randomUUID()}` }),
    ...needs('redis'),
  },
]

for (const { name, open, skip } of backends) {
  t.test(name, { skip }, async (t) => {
    const { url, ...where } = await open(t)
    const options = { ...where, deadlineMs, onError: (error: Error) => { t.comment(error.message) } }

    function openQueue (t: Test) {
      const queue = createExportQueue(url, options)
      t.teardown(queue.close)
      return queue
    }

    async function work (t: Test, processor: ExportProcessor, leaseMs = 30_000) {
      const worker = createExportWorker(url, processor, { ...options, concurrency: 4, leaseMs })
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
        if (seen.length === n) resolve([...seen]) // a job may come once more before the test has read them
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

    await t.test('a job that a dead worker left behind comes again, even if nobody looks for stalled jobs', async (t) => {
      const queue = openQueue(t)
      const id = randomUUID()
      const taken = Promise.withResolvers<void>()
      const dead = createExportWorker(url, async () => {
        taken.resolve()
        await new Promise(() => {})
      }, { ...options, concurrency: 1, leaseMs: 400 })
      dead.run().catch(() => {})
      await queue.enqueue(id)
      await taken.promise
      const { processor, seen } = collect(1)
      await work(t, processor, 600_000) // looks once, at its start, when the lock is still held
      await dead.close(true)
      const again = new AbortController()
      seen.then(() => { again.abort() }, () => {})
      while (!again.signal.aborted) await queue.enqueueAgain(id)
      t.same(await seen, [id])
    })

    await t.test('a job that somebody works on is left to them', async (t) => {
      const queue = openQueue(t)
      const id = randomUUID()
      const finish = Promise.withResolvers<void>()
      const taken = Promise.withResolvers<void>()
      let runs = 0
      const worker = await work(t, async () => {
        runs++
        taken.resolve()
        await finish.promise
      })
      await queue.enqueue(id)
      await taken.promise
      await queue.enqueueAgain(id)
      const completed = once(worker, 'completed')
      finish.resolve()
      await completed
      const completedAgain = once(worker, 'completed')
      await queue.enqueueAgain(id)
      await completedAgain
      t.equal(runs, 2)
    })

    await t.test('it answers a ping', async (t) => {
      await t.resolves(openQueue(t).ping())
    })
  })
}

t.test('a queue whose tables are missing is refused before BullMQ asks for them', async (t) => {
  const url = await createTestDatabase(t)
  await t.resolves(assertQueueUsable(url))
  await t.rejects(assertQueueUsable(url, 'elsewhere'), { code: 'SCHEMA_MISMATCH' })
  await migrateQueue(url, 'elsewhere')
  await t.resolves(assertQueueUsable(url, 'elsewhere'))
  await t.resolves(assertQueueUsable('redis://127.0.0.1:1'), 'Redis has none')
})

t.test('a worker asks a server that refuses it now and then, not all the time, and goes on when it is taken in again', async (t) => {
  const url = await createTestDatabase(t)
  const admin = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL })
  await admin.connect()
  t.teardown(async () => { await admin.end() })
  const name = new URL(url).pathname.slice(1)
  const refuse = async (allow: boolean) => {
    await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS ${allow}`)
    if (!allow) await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])
  }

  let errors = 0
  const refused = Promise.withResolvers<void>()
  const done = Promise.withResolvers<void>()
  const worker = createExportWorker(url, async (job) => {
    if (job.id === 'first') await refuse(false)
    else done.resolve()
  }, { concurrency: 1, leaseMs: 1_000, onError: () => { if (++errors === 4) refused.resolve() } })
  t.teardown(async () => { await worker.close() })
  worker.run().catch(() => {})
  const queue = createExportQueue(url, { deadlineMs, onError: () => {} })
  t.teardown(queue.close)
  await queue.enqueue('first')
  await refused.promise
  const before = errors
  await setTimeout(3 * 1_000) // what is looked at is how much happens in it
  t.ok(errors - before < 30, `${errors - before} errors in three seconds`)
  await refuse(true)
  await queue.enqueueAgain('second')
  await done.promise
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
