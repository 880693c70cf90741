import { once } from 'node:events'
import { eventually, openDatabase } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import { findFreePort } from '@fhir-bulk-export/stack/ports'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import t, { type Test } from 'tap'
import { admin } from './fixtures/exports.ts'
import { spawnServer } from './fixtures/server.ts'
import { bearer, secret } from './fixtures/token.ts'

async function environment (t: Test) {
  const url = await createTestDatabase(t)
  const port = await findFreePort()
  return {
    DATABASE_URL: url,
    QUEUE_URL: url,
    IPFS_URL: `file://${t.testdir()}`,
    JWT_SECRET: secret,
    HOST: '127.0.0.1',
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
  }
}

t.test('it lists every problem of the configuration and exits with 1', async (t) => {
  const { exited, stdout } = spawnServer(t, { JWT_SECRET: 'short', PORT: 'x' })
  t.strictSame(await exited, [1, null])
  const message = await stdout
  for (const name of ['DATABASE_URL', 'QUEUE_URL', 'IPFS_URL', 'JWT_SECRET', 'PORT']) t.match(message, new RegExp(`"${name}: `))
  t.notMatch(message, /short|\\n\s+at /)
})

t.test('it refuses a database that was not migrated', async (t) => {
  const env = await environment(t)
  const db = openDatabase(t, env.DATABASE_URL, { applicationName: 'api-test' })
  await sql`DELETE FROM bulk_export_migration`.execute(db)
  const { exited, stdout } = spawnServer(t, env)
  t.strictSame(await exited, [1, null])
  t.match(await stdout, /Run the migrate command first/)
})

t.test('it serves until SIGTERM and ends with 0', async (t) => {
  const env = await environment(t)
  const { child, exited, stdout } = spawnServer(t, env)
  await once(child.stdout, 'data')
  await eventually(async () => (await fetch(`${env.PUBLIC_URL}/readyz`)).status === 200)
  const response = await fetch(`${env.PUBLIC_URL}/fhir/r4/Patient/$export`, { headers: bearer(admin) })
  t.equal(response.status, 202)
  const location = response.headers.get('content-location') ?? ''
  t.ok(location.startsWith(`${env.PUBLIC_URL}/fhir/r4/$export-status/`))
  t.match(await (await fetch(location, { headers: bearer(admin) })).json(), { status: 'pending' })
  child.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
  t.notMatch(await stdout, new RegExp(secret))
})
