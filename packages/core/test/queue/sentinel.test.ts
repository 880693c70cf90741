import { randomUUID } from 'node:crypto'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import { startRedis } from '@fhir-bulk-export/stack/redis'
import { startSentinel } from '@fhir-bulk-export/stack/sentinel'
import { Redis } from 'ioredis'
import t from 'tap'
import { assertQueueUsable, createExportQueue, createExportWorker } from '../../src/queue/index.ts'
import { readSentinelUrl } from '../../src/queue/sentinel-url.ts'
import { eventually } from '../fixtures/database.ts'

t.test('a URL names sentinels, master, database and passwords', async (t) => {
  for (const [url, expected] of [
    ['redis://host:6379', undefined],
    ['redis+sentinel://host', undefined],
    ['redis+sentinel://host/mymaster', { sentinels: [{ host: 'host', port: 26379 }], name: 'mymaster', options: { db: 0 } }],
    ['redis+sentinel://:p%40ss@a:1,b,[::1]:3/m/2', {
      sentinels: [{ host: 'a', port: 1 }, { host: 'b', port: 26379 }, { host: '::1', port: 3 }],
      name: 'm',
      options: { db: 2, password: 'p@ss' },
    }],
    ['rediss+sentinel://user:p@a/m?sentinel_password=s%26', {
      sentinels: [{ host: 'a', port: 26379 }],
      name: 'm',
      options: { db: 0, username: 'user', password: 'p', sentinelPassword: 's&', tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true },
    }],
  ] as const) t.strictSame(readSentinelUrl(url), expected, url)
})

t.test('the queue moves with its master: jobs are rung for and taken after a failover', needs('redis'), async (t) => {
  const master = await startRedis()
  t.teardown(master.stop)
  const replica = await startRedis()
  t.teardown(replica.stop)
  const portOf = (url: string) => Number(new URL(url).port)
  const control = new Redis(replica.url)
  t.teardown(() => { control.disconnect() })
  await control.replicaof('127.0.0.1', portOf(master.url))
  await eventually(async () => (await control.info('replication')).includes('master_link_status:up'))
  const sentinel = await startSentinel('mymaster', portOf(master.url))
  t.teardown(sentinel.stop)
  const asked = new Redis(sentinel.url)
  t.teardown(() => { asked.disconnect() })
  await eventually(async () => JSON.stringify(await asked.call('SENTINEL', 'replicas', 'mymaster')).includes(String(portOf(replica.url))))

  const url = (name: string) => `redis+sentinel://127.0.0.1:1,127.0.0.1:${portOf(sentinel.url)}/${name}`
  await assertQueueUsable(url('mymaster'))
  await t.rejects(assertQueueUsable(url('other')), { code: 'SETTING_REFUSED', message: /do not know the master/ })

  const options = { prefix: `test-${randomUUID()}`, onError: () => {} }
  const queue = createExportQueue(url('mymaster'), options)
  t.teardown(queue.close)
  const taken = new Set<string | undefined>()
  const worker = createExportWorker(url('mymaster'), async (job) => { taken.add(job.id) }, { ...options, concurrency: 1, leaseMs: 2_000 })
  t.teardown(async () => { await worker.close(true) })
  worker.run().catch(() => {})
  const [before, after] = [randomUUID(), randomUUID()]
  // What a master took in and lost is rung for again, as the workers do.
  const rung = async (id: string) => await eventually(async () => {
    await queue.enqueue(id).catch(() => {})
    return taken.has(id)
  })
  await rung(before)

  await master.stop()
  await rung(after)
  t.match(await control.role(), ['master'], 'by the one that was its replica')
})
