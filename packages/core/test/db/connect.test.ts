import { readFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { startProxy } from '@fhir-bulk-export/stack/proxy'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { eventually, openDatabase, openPool } from '../fixtures/database.ts'
import { sql } from 'kysely'
import t from 'tap'
import { createDatabase } from '../../src/db/index.ts'

t.test('a connection on which no answer comes is given up, and the next statement has another', async (t) => {
  const network = await startProxy(t, await createTestDatabase(t))
  const db = openDatabase(t, network.url, { max: 1, statementTimeoutMs: 500 })
  const answers = async () => await eventually(async () => await sql`SELECT 1`.execute(db).then(() => true, () => false))
  await answers()
  network.silence()
  await t.rejects(sql`SELECT 1`.execute(db), { code: 'ETIMEDOUT' })
  await answers()

  await t.rejects(db.transaction().execute(async (trx) => {
    await sql`SELECT 1`.execute(trx)
    network.silence()
    await sql`SELECT 1`.execute(trx)
  }))
  await answers()
})

t.test('a server is asked whether it is there, also while nothing is sent', {
  skip: process.platform !== 'linux' && 'only Linux tells',
}, async (t) => {
  const socket = new Socket()
  const pool = openPool(t, await createTestDatabase(t), { max: 1, toSocket: () => socket })
  await pool.query('SELECT 1')
  const port = (socket.localPort ?? 0).toString(16).toUpperCase().padStart(4, '0')
  // proc(5): local address, remote address, state, queues, timer (2: keepalive) and when it runs out, in 1/100 s.
  const [, timer, when] = new RegExp(`:${port} \\S+ 01 \\S+ (\\d+):(\\w+) `).exec(await readFile('/proc/net/tcp', 'utf8')) ?? []
  t.equal(timer, '02')
  t.ok(parseInt(when ?? '', 16) <= 3_000)
})

t.test('a statement that takes too long is stopped by the server, and the connection is as good as before', async (t) => {
  const db = openDatabase(t, await createTestDatabase(t), { max: 1, statementTimeoutMs: 300 })
  const pid = async () => (await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(db)).rows[0]?.pid
  const before = await pid()
  await t.rejects(sql`SELECT pg_sleep(60)`.execute(db), { code: '57014' })
  t.equal(await pid(), before)
})

t.test('connections at rest are closed without an error', async (t) => {
  const errors: Error[] = []
  const db = createDatabase(await createTestDatabase(t), {
    applicationName: 'test', statementTimeoutMs: 200,
    onError: (error) => { errors.push(error) }
  })
  const others = openDatabase(t, process.env.TEST_DATABASE_URL ?? '', { applicationName: 'observer' })
  t.teardown(async () => { await db.destroy() })
  const { rows: [own] } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(db)
  const isThere = async () => (await sql`SELECT FROM pg_stat_activity WHERE pid = ${own?.pid}`.execute(others)).rows.length > 0
  while (await isThere()) ;
  t.same(errors, [])
})

t.test('somebody who holds a row and falls silent is put out, so that others get it', async (t) => {
  const url = await createTestDatabase(t)
  const db = openDatabase(t, url, { max: 1, idleInTransactionTimeoutMs: 300 })
  const others = openDatabase(t, url)
  await sql`INSERT INTO source.patients (id) VALUES ('p1')`.execute(db)
  let holds = false
  while (!holds) { // and is not put out before that
    await t.rejects(db.transaction().execute(async (trx) => {
      await sql`UPDATE source.patients SET gender = 'male'`.execute(trx)
      holds = true
      await sql`UPDATE source.patients SET gender = 'female'`.execute(others)
      await sql`SELECT 1`.execute(trx)
    }))
  }
  const { rows } = await sql`SELECT gender FROM source.patients`.execute(others)
  t.same(rows, [{ gender: 'female' }])
})
