import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'
import { createDatabase } from '../../src/db/index.ts'

/** A network that loses everything on the connections it has, once it is told to, and carries new ones. */
async function startNetwork (t: Test, url: string) {
  const { hostname, port } = new URL(url)
  const sockets: Socket[] = []
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    sockets.push(client, upstream)
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.pipe(upstream)
    upstream.pipe(client)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const own = new URL(url)
  own.port = String((server.address() as AddressInfo).port)
  const lose = () => { for (const socket of sockets) socket.unpipe() }
  return { url: own.href, lose }
}

t.test('a connection on which no answer comes is given up, and the next statement has another', async (t) => {
  const network = await startNetwork(t, await createTestDatabase(t))
  const db = createDatabase(network.url, { applicationName: 'test', max: 1, statementTimeoutMs: 500, onError: () => {} })
  t.teardown(async () => { await db.destroy() })
  await sql`SELECT 1`.execute(db)
  network.lose()
  await t.rejects(sql`SELECT 1`.execute(db), { code: 'ETIMEDOUT' })
  await t.resolves(sql`SELECT 1`.execute(db))

  await t.rejects(db.transaction().execute(async (trx) => {
    await sql`SELECT 1`.execute(trx)
    network.lose()
    await sql`SELECT 1`.execute(trx)
  }))
  await t.resolves(sql`SELECT 1`.execute(db))
})

t.test('a statement that takes too long is stopped by the server, and the connection is as good as before', async (t) => {
  const db = createDatabase(await createTestDatabase(t), { applicationName: 'test', max: 1, statementTimeoutMs: 300, onError: () => {} })
  t.teardown(async () => { await db.destroy() })
  const pid = async () => (await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(db)).rows[0]?.pid
  const before = await pid()
  await t.rejects(sql`SELECT pg_sleep(60)`.execute(db), { code: '57014' })
  t.equal(await pid(), before)
})

t.test('connections at rest are closed without an error', async (t) => {
  const errors: Error[] = []
  const db = createDatabase(await createTestDatabase(t), { applicationName: 'test', statementTimeoutMs: 200, onError: (error) => { errors.push(error) } })
  const others = createDatabase(process.env.TEST_DATABASE_URL ?? '', { applicationName: 'observer', onError: () => {} })
  t.teardown(async () => { await others.destroy() })
  t.teardown(async () => { await db.destroy() })
  const { rows: [own] } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(db)
  const isThere = async () => (await sql`SELECT FROM pg_stat_activity WHERE pid = ${own?.pid}`.execute(others)).rows.length > 0
  while (await isThere()) ;
  t.same(errors, [])
})

t.test('somebody who holds a row and falls silent is put out, so that others get it', async (t) => {
  const url = await createTestDatabase(t)
  const db = createDatabase(url, { applicationName: 'test', max: 1, idleInTransactionTimeoutMs: 300, onError: () => {} })
  const others = createDatabase(url, { applicationName: 'test', onError: () => {} })
  t.teardown(async () => { await db.destroy() })
  t.teardown(async () => { await others.destroy() })
  await sql`INSERT INTO source.patients (id) VALUES ('p1')`.execute(db)
  await t.rejects(db.transaction().execute(async (trx) => {
    await sql`UPDATE source.patients SET gender = 'male'`.execute(trx)
    await sql`UPDATE source.patients SET gender = 'female'`.execute(others)
    await sql`SELECT 1`.execute(trx)
  }))
  const { rows } = await sql`SELECT gender FROM source.patients`.execute(others)
  t.same(rows, [{ gender: 'female' }])
})
