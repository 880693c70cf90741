import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { openPool } from '@fhir-bulk-export/core/testing/database'
import { to as copyTo } from 'pg-copy-streams'
import t from 'tap'
import { copyOut } from '../../src/source/copy-out.ts'
import { CopySocket } from '../../src/source/copy-socket.ts'

const sockets = { 'one buffer': () => new CopySocket(), 'reads of 7 bytes': () => new CopySocket(7), 'a socket of Node': undefined }

/** The messages' bodies, one after the other. */
async function collect (chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const chunk of chunks) pieces.push(Buffer.from(chunk))
  const bytes = Buffer.concat(pieces)
  const bodies: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    bodies.push(bytes.subarray(at + 5, end))
    at = end
  }
  return Buffer.concat(bodies)
}

const url = await createTestDatabase(t)
const plain = openPool(t, url, { applicationName: 'plain', max: 1 })

for (const [name, toSocket] of Object.entries(sockets)) {
  t.test(name, async (t) => {
    const pool = openPool(t, url, { max: 1, ...(toSocket === undefined ? {} : { toSocket }) })
    await pool.query(`CREATE OR REPLACE FUNCTION said (n int) RETURNS int LANGUAGE plpgsql AS $$
      BEGIN IF n % 50 = 0 THEN RAISE NOTICE 'at %', repeat('x', n); END IF; RETURN n; END $$`)
    const client = await pool.connect()
    t.teardown(() => { client.release() })

    t.test('what comes is what pg-copy-streams gives, and the connection goes on', async (t) => {
      for (const rows of [0, 1, 90]) {
        const sql = `COPY (SELECT n, repeat('y', n * 3) FROM generate_series(1, ${rows}) AS n) TO STDOUT (FORMAT binary)`
        const reference = await plain.connect()
        const expected = Buffer.concat(await reference.query(copyTo(sql)).toArray())
        reference.release()
        t.ok(expected.equals(await collect(copyOut(client, sql))), `${rows} rows`)
        t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }])
      }
    })

    t.test('notices in the middle are pg\'s', async (t) => {
      const notices: unknown[] = []
      const hear = ({ message }: { message?: string | undefined }) => { notices.push(message) }
      client.on('notice', hear)
      const text = (await collect(copyOut(client, 'COPY (SELECT said(n) FROM generate_series(1, 120) AS n) TO STDOUT'))).toString()
      client.off('notice', hear)
      t.equal(text, Array.from({ length: 120 }, (_, i) => `${i + 1}\n`).join(''))
      t.same(notices, [`at ${'x'.repeat(50)}`, `at ${'x'.repeat(100)}`])
    })

    t.test('an error in the middle is the stream\'s, and the connection goes on', async (t) => {
      await t.rejects(collect(copyOut(client, 'COPY (SELECT 1 / (70 - n) FROM generate_series(1, 90) AS n) TO STDOUT')), { code: '22012' })
      await t.rejects(collect(copyOut(client, 'COPY nowhere TO STDOUT')), { code: '42P01' })
      t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }])
    })
  })
}

t.test('a connection that breaks is an error, not an end', async (t) => {
  const pool = openPool(t, url, { max: 1, toSocket: () => new CopySocket() })
  const client = await pool.connect()
  const { rows: [backend] } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const chunks = copyOut(client, 'COPY (SELECT generate_series(1, 100000000)) TO STDOUT')
  await chunks.next()
  await plain.query('SELECT pg_terminate_backend($1)', [backend?.pid])
  await t.rejects(collect(chunks))
  client.release(true)
})
