import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findPublishedFiles } from '@fhir-bulk-export/core/exports'
import { givenLargePatients } from '@fhir-bulk-export/core/testing/database'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import { execute } from '@fhir-bulk-export/stack/sql'
import { sql } from 'kysely'
import t from 'tap'
import { breakAt } from '../src/breakpoint.ts'
import { openSystem, type System } from '../src/system.ts'
import { assertExported, isTrouble, startExport } from './fixtures/exports.ts'
import { kickOff } from './fixtures/http.ts'
import { openPostgres } from './fixtures/own-postgres.ts'
import { createCertificate, serveTls } from './fixtures/tls.ts'

const patients = 600

t.test('over TLS the files are the same, byte by byte, and the server is verified', needs('openssl'), async (t) => {
  const { url } = await openPostgres(t)
  const directory = t.testdir({ store: {}, own: {}, other: {} })
  const system = await openSystem(t, { databaseUrl: url, queueUrl: url, storeUrl: pathToFileURL(join(directory, 'store')).href })
  await givenLargePatients(system.db, patients)
  // More than a socket's read, and than many of TLS's records.
  await sql`UPDATE source.patients SET name = jsonb_build_array(jsonb_build_object('text', repeat('ä', 600000))) WHERE id = 'p7'`
    .execute(system.db)
  const plain = await system.startWorker()
  const before = await startExport(system)
  await assertExported(t, system, before, patients)
  plain.kill('SIGTERM')
  await plain.ended

  const own = await createCertificate(join(directory, 'own'))
  await serveTls(url, own)
  const toEnvironment = ({ certificate }: typeof own) => {
    const verified = `${url}?${new URLSearchParams({ sslmode: 'verify-full', sslrootcert: certificate }).toString()}`
    return { DATABASE_URL: verified, QUEUE_URL: verified }
  }
  const breakpoint = await breakAt(t, url, { when: 'BEFORE INSERT', table: 'bulk_export_files' })
  const [api, worker] = await Promise.all([system.startApi(toEnvironment(own)), system.startWorker(toEnvironment(own))])
  const id = await kickOff(api)
  await breakpoint.reached()
  const sessions = await execute(url, `SELECT application_name AS name, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
    WHERE application_name LIKE 'fhir-bulk-export-%' AND application_name <> 'fhir-bulk-export-watch'`)
  t.ok(sessions.some(({ name }) => name === 'fhir-bulk-export-snapshot'))
  t.strictSame(sessions.filter(({ ssl }) => ssl !== true), [])
  await breakpoint.release()
  await assertExported(t, system, id, patients)
  t.strictSame(await findContents(system, id), await findContents(system, before))
  for (const { lines } of [api, worker]) t.strictSame(lines.filter(isTrouble), [])

  const refused = await system.startWorker(toEnvironment(await createCertificate(join(directory, 'other'))))
  t.equal(await refused.ended, 1)
  t.match(refused.lines.join('\n'), /certificate/)
})

async function findContents ({ db }: System, id: string) {
  return (await findPublishedFiles(db, id) ?? []).map(({ name, count, size, sha256 }) => ({ name, count, size, sha256 }))
}
