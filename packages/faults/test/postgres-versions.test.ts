import { pathToFileURL } from 'node:url'
import { ended, givenPatients } from '@fhir-bulk-export/core/testing/database'
import { runScript } from '@fhir-bulk-export/stack/commands'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import { olderMajors, startPostgres } from '@fhir-bulk-export/stack/postgres'
import { sample } from '@fhir-bulk-export/stack/sample'
import { sql } from 'kysely'
import t from 'tap'
import { openSystem } from '../src/system.ts'
import { isTrouble } from './fixtures/exports.ts'
import { ask, kickOff } from './fixtures/http.ts'

/* Everything else is tested with the newest one. */

const patients = 20
const observation = {
  resourceType: 'Observation', id: 'o1', status: 'final', code: { text: 'x' }, effectiveDateTime: '2024-05-01',
  subject: { reference: 'Patient/p1' },
}

for (const major of sample('PostgreSQL', 1, olderMajors)) {
  t.test(`PostgreSQL ${major}: migrate, load, export with a search, download, verify`, needs('postgresVersions'), async (t) => {
    const { url, stop } = await startPostgres({ major, durable: false })
    t.teardown(stop)
    const folder = t.testdir({ store: {}, data: { 'data.ndjson': JSON.stringify(observation) } })
    const store = pathToFileURL(`${folder}/store`).href
    await runScript('packages/core/src/cli/migrate.ts', { args: ['--source'], env: { DATABASE_URL: url, QUEUE_URL: url } })
    const system = await openSystem(t, { databaseUrl: url, queueUrl: url, storeUrl: store })
    const { rows: [version] } = await sql<{ server_version: string }>`SHOW server_version`.execute(system.db)
    t.match(version?.server_version, new RegExp(`^${major}\\.`))
    await givenPatients(system.db, patients)
    await runScript('packages/core/src/cli/load.ts', { args: [`${folder}/data`], env: { DATABASE_URL: url } })

    const [api, worker] = await Promise.all([system.startApi(), system.startWorker()])
    const id = await kickOff(api, {},
      '?_type=Patient,Consent,Observation&_since=2000-01-01T00:00:00Z&_typeFilter=Observation%3Fdate%3Dge2024')
    t.match(await ended(system, id), { status: 'completed', exported_resources: 2 * patients + 1, failure_reason: null })
    t.match(await ask(api, `/$export-file/${id}/Observation.1.ndjson`), { status: 200, text: /"id":"o1"/ })
    await runScript('packages/core/src/cli/verify.ts', { args: [id], env: { DATABASE_URL: url, IPFS_URL: store } })
    for (const { lines } of [api, worker]) t.strictSame(lines.filter(isTrouble), [])
  })
}
