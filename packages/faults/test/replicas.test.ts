import { createExportWorker, partQueueName } from '@fhir-bulk-export/core/queue'
import { ended, eventually, givenPatients } from '@fhir-bulk-export/core/testing/database'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import { startProxy } from '@fhir-bulk-export/stack/proxy'
import { startRedis } from '@fhir-bulk-export/stack/redis'
import { pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { openSystem } from '../src/system.ts'
import { assertAlive } from './fixtures/alive.ts'
import { assertExported, assertNothingLeft } from './fixtures/exports.ts'
import { ask, assertDown, assertError, isReady, kickOff } from './fixtures/http.ts'
import { openEmbeddedParts, openRedis } from './fixtures/parts.ts'
import { openPostgresPair } from './fixtures/postgres-pair.ts'

/** A server that answers and takes no writes, behind an address that moves; the connections to it stay where they are. */

const patients = 50

t.test('PostgreSQL becomes a standby, and its standby the primary: the same processes go on once the address is right', async (t) => {
  const pair = await openPostgresPair(t)
  const address = await startProxy(t, pair.first)
  const system = await openSystem(t, { databaseUrl: address.url, queueUrl: address.url, storeUrl: pathToFileURL(t.testdir()).href })
  await givenPatients(system.db, patients)
  const [api, worker] = await Promise.all([system.startApi(), system.startWorker()])
  const refusals: Error[] = []
  const listener = createExportWorker(address.url, async () => {}, {
    name: partQueueName, concurrency: 1, leaseMs: 2_000,
    onError: (error) => { if (/standby|recovery/.test(error.message)) refusals.push(error) },
  })
  listener.run().catch(() => {})
  t.teardown(async () => { await listener.close() })
  const before = await kickOff(api)
  await assertExported(t, system, before, patients)
  t.ok(await eventually(async () => await isReady(api)))

  // Fenced: it runs on, and refuses what writes, on the connections there are as well.
  await pair.query(pair.first, 'ALTER SYSTEM SET default_transaction_read_only = on')
  await pair.query(pair.first, 'SELECT pg_reload_conf()')
  await assertDown(t, api, 'database', 'queue')
  assertError(t, await ask(api, '/Patient/$export'), 503, 'a kick-off')

  await pair.switchOver()
  await assertDown(t, api, 'database', 'queue')
  assertError(t, await ask(api, '/Patient/$export'), 503, 'a kick-off at a standby')
  t.same(await pair.query(pair.first, 'SELECT pg_is_in_recovery() AS standby'), [{ standby: true }], 'it does answer')

  await eventually(async () => refusals.length > 2)
  address.moveTo(pair.second)
  await eventually(async () => await isReady(api))
  await assertExported(t, system, await kickOff(api), patients)
  t.equal((await ask(api, `/$export-file/${before}/Patient.1.ndjson`)).status, 200)
  t.same(await eventually(async () => {
    const left = await pair.query(pair.first, `SELECT application_name FROM pg_stat_activity
      WHERE application_name LIKE 'fhir-bulk-export%' AND application_name <> 'fhir-bulk-export-watch'`)
    return left.length === 0 && left
  }), [], 'nobody stays with the standby')
  await assertAlive(t, api, worker)
  await assertNothingLeft(t, system)
})

t.test('Redis becomes a replica, and its replica the master: the same processes go on once the address is right', needs('redis'),
  async (t) => {
    const [first, second] = await Promise.all([openRedis(t), openRedis(t)])
    const address = await startProxy(t, first)
    const system = await openSystem(t, { ...await openEmbeddedParts(t), queueUrl: address.url })
    const [firstClient, secondClient] = [new Redis(first), new Redis(second)]
    t.teardown(async () => {
      firstClient.disconnect()
      secondClient.disconnect()
    })
    const follow = async (client: Redis, master: string) => { await client.replicaof('127.0.0.1', Number(new URL(master).port)) }
    await follow(secondClient, first)
    await eventually(async () => (await secondClient.info('replication')).includes('master_link_status:up'))
    await givenPatients(system.db, patients)
    const [api, worker] = await Promise.all([system.startApi(), system.startWorker()])
    await assertExported(t, system, await kickOff(api), patients)

    await secondClient.replicaof('NO', 'ONE')
    await follow(firstClient, second)
    await assertDown(t, api, 'queue')
    const accepted = await kickOff(api)

    address.moveTo(second)
    await eventually(async () => await isReady(api))
    await assertExported(t, system, accepted, patients)
    const { attempt, failures } = await assertExported(t, system, await kickOff(api), patients)
    t.same({ attempt, failures }, { attempt: 1, failures: 0 })
    await assertAlive(t, api, worker)
    await assertNothingLeft(t, system)
  })

t.test('a Redis that does not take the password is refused at start and by name', needs('redis'), async (t) => {
  const queueUrl = await openRedis(t)
  const redis = new Redis(queueUrl)
  t.teardown(async () => { await redis.quit() })
  await redis.config('SET', 'requirepass', 'right')
  const system = await openSystem(t, { ...await openEmbeddedParts(t), queueUrl: queueUrl.replace('//', '//:right@') })
  for (const given of ['//', '//:wrong@']) {
    const environment = { QUEUE_URL: queueUrl.replace('//', given) }
    for (const process of await Promise.all([system.startApi(environment), system.startWorker(environment)])) {
      t.equal(await process.ended, 1)
      t.match(process.lines.join('\n'), /password of QUEUE_URL/)
      t.notMatch(process.lines.join('\n'), /wrong/)
    }
  }
  await givenPatients(system.db, 2)
  const [api] = await Promise.all([system.startApi(), system.startWorker()])
  t.match(await ended(system, await kickOff(api)), { status: 'completed' })
})

t.test('a node of a Redis Cluster, which would take jobs that nobody gets, is refused at start and by name', needs('redis'), async (t) => {
  const node = await startRedis(undefined, true)
  t.teardown(node.stop)
  const system = await openSystem(t, { ...await openEmbeddedParts(t), queueUrl: node.url })
  for (const process of [await system.startApi(), await system.startWorker()]) {
    t.equal(await process.ended, 1)
    t.match(process.lines.join('\n'), /Redis Cluster/)
  }
})
