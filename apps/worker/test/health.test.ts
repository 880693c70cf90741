import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '@fhir-bulk-export/core/db'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { isWorking } from '../src/is-working.ts'
import { openService } from './fixtures/service.ts'

const program = fileURLToPath(new URL('../src/health.ts', import.meta.url))

async function check (env: Record<string, string>) {
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const [[code], stderr] = await Promise.all([once(child, 'exit'), text(child.stderr)])
  return { code, stderr }
}

t.test('the check of a worker finds it at work, and says why if it does not', async (t) => {
  const service = await openService(t)
  t.match(await check(service.environment), { code: 1, stderr: /has not heard of the worker for 60 s/ })
  await service.startWorker()
  t.strictSame(await check(service.environment), { code: 0, stderr: '' })
  t.match(await check({ DATABASE_URL: 'postgres://127.0.0.1:1/none' }), { code: 1, stderr: /ECONNREFUSED/ })
  t.match(await check({}), { code: 1, stderr: /DATABASE_URL: is not set/ })
})

t.test('a worker that keeps its connections and does nothing does not work', async (t) => {
  const { environment: { DATABASE_URL = '' }, db } = await openService(t)
  const silent = createDatabase(DATABASE_URL, { applicationName: 'fhir-bulk-export-worker', max: 1, onError: () => {} })
  t.teardown(async () => { await silent.destroy() })
  await sql`SELECT 1`.execute(silent)
  t.ok(await isWorking(db, 60_000))
  await eventually(async () => !await isWorking(db, 50))
})
