import { needs } from '@fhir-bulk-export/stack/optional-servers'
import { startPgBouncer } from '@fhir-bulk-export/stack/pgbouncer'
import t from 'tap'
import { assertExported, isTrouble } from './fixtures/exports.ts'
import { ask, kickOff } from './fixtures/http.ts'
import { openEmbedded } from './fixtures/service.ts'

const patients = 20

t.test('behind PgBouncer in session mode everything works, in transaction mode nothing starts', needs('pgbouncer'), async (t) => {
  const { parts: { databaseUrl: url }, system } = await openEmbedded(t, patients)

  await t.test('session: an export, its download, and the queue', async (t) => {
    const pooler = await startPgBouncer(url, { poolMode: 'session', ignoreStartupParameters: 'options' })
    t.teardown(pooler.stop)
    const environment = { DATABASE_URL: pooler.url, QUEUE_URL: pooler.url }
    const [api, worker] = await Promise.all([system.startApi(environment), system.startWorker(environment)])
    const id = await kickOff(api)
    await assertExported(t, system, id, patients)
    t.equal((await ask(api, `/$export-file/${id}/Patient.1.ndjson`)).status, 200)
    for (const { lines } of [api, worker]) t.strictSame(lines.filter(isTrouble), [])
  })

  for (const [name, options, expected] of [
    ['transaction', { poolMode: 'transaction', ignoreStartupParameters: 'options' }, /pool_mode is transaction or statement/],
    ['a parameter that it does not know', { poolMode: 'session', ignoreStartupParameters: '' }, /ignore_startup_parameters = options/],
  ] as const) {
    await t.test(`${name}: refused by name`, async (t) => {
      const pooler = await startPgBouncer(url, options)
      t.teardown(pooler.stop)
      for (const environment of [{ DATABASE_URL: pooler.url }, { QUEUE_URL: pooler.url }]) {
        for (const { ended, lines } of await Promise.all([system.startApi(environment), system.startWorker(environment)])) {
          t.equal(await ended, 1, lines.join('\n'))
          t.match(JSON.parse(lines.at(-1) ?? '{}'), { level: 60, code: 'SETTING_REFUSED', problems: [expected] })
        }
      }
    })
  }
})
