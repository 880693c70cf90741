import { open as openFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exportQueueName } from '@fhir-bulk-export/core/queue'
import { findPublishedFiles } from '@fhir-bulk-export/core/exports'
import { ended, eventually, givenLargePatients, givenPatients } from '@fhir-bulk-export/core/testing/database'
import { toFileKey } from '@fhir-bulk-export/core/store'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import { createPostgresBackend, Queue, type ConnectionOptions } from 'bullmq'
import { Redis } from 'ioredis'
import { sql } from 'kysely'
import t from 'tap'
import { openSystem } from '../src/system.ts'
import { assertExported, assertNothingLeft, startExport } from './fixtures/exports.ts'
import { openEmbeddedParts, openRedis } from './fixtures/parts.ts'
import { openEmbedded } from './fixtures/service.ts'

/** Rows, relations, bytes, jobs and databases that should not be as they are. */

const patients = 300

t.jobs = 2

t.test('a row of each type that no serializer can take: named in the error list, without its content, and every other row exported',
  { buffered: true }, async (t) => {
    const { system } = await openEmbedded(t, patients)
    await sql`UPDATE source.patients SET name = '"Secretname"' WHERE id = 'p7'`.execute(system.db)
    await sql`UPDATE source.medical_records SET content = '[{"attachment": [[{"Secretname": 1}]]}]' WHERE id = 'd7'`.execute(system.db)
    await sql`UPDATE source.consents SET decision = 'Secretname' WHERE id = 'c7'`.execute(system.db)
    await sql`UPDATE source.provenance_events SET target = '{"Secretname": [null]}' WHERE id = 'e7'`.execute(system.db)
    const api = await system.startApi()
    const worker = await system.startWorker({ LOG_LEVEL: 'trace' })
    const id = await startExport(system)
    t.match(await ended(system, id), { status: 'completed', total_resources: 4 * patients, exported_resources: 4 * patients })
    const files = await findPublishedFiles(system.db, id) ?? []
    t.same(files.filter(({ list }) => list === 'output').map(({ type, count }) => [type, count]),
      ['Patient', 'Consent', 'DocumentReference', 'Provenance'].map((type) => [type, patients - 1]))
    const headers = api.authorization({ role: 'ADMIN' })
    const errors = await (await fetch(`${api.url}/$export-file/${id}/error.1.ndjson`, { headers })).text()
    for (const poisoned of ['Patient/p7', 'DocumentReference/d7', 'Consent/c7', 'Provenance/e7']) t.ok(errors.includes(poisoned), poisoned)
    t.notMatch(errors, /Secretname/)
    t.notMatch(worker.lines.join(), /Secretname/)
  })

t.test('a relation dropped under a worker fails the export, and the next worker refuses to start', { buffered: true }, async (t) => {
  const { system } = await openEmbedded(t, patients)
  await system.startWorker()
  await sql`ALTER TABLE source.consents RENAME TO consents_elsewhere`.execute(system.db)
  const failed = await startExport(system)
  t.match(await ended(system, failed), { status: 'failed', attempt: 1, failure_reason: /source\.consents is missing/ })
  const next = await system.startWorker()
  t.equal(await next.ended, 1)
  t.match(next.lines.join('\n'), /source\.consents/)
  await sql`ALTER TABLE source.consents_elsewhere RENAME TO consents`.execute(system.db)
  await assertExported(t, system, await startExport(system), patients)
  await assertNothingLeft(t, system)
})

t.test('a file that changed in the store: a download never ends as if it were whole, and the other files are as good as before',
  { buffered: true }, async (t) => {
    const parts = await openEmbeddedParts(t)
    const system = await openSystem(t, parts)
    await givenLargePatients(system.db, 2_000)
    const api = await system.startApi()
    await system.startWorker()
    const id = await startExport(system)
    await ended(system, id)
    const download = async (name: string, extra = {}) => {
      const response = await fetch(`${api.url}/$export-file/${id}/${name}`, {
        headers: { ...api.authorization({ role: 'ADMIN', sub: name }), ...extra },
      })
      return { status: response.status, text: await response.text() }
    }
    const [patientFile, documentFile, consentFile] = await findPublishedFiles(system.db, id) ?? []
    const change = async (
      file: typeof patientFile, work: (opened: Awaited<ReturnType<typeof openFile>>, size: number) => Promise<unknown>
    ) => {
      if (file === undefined) throw new Error('three files')
      const path = join(fileURLToPath(parts.storeUrl), toFileKey(file))
      const opened = await openFile(path, 'r+')
      await work(opened, (await stat(path)).size)
      await opened.close()
    }
    await change(patientFile, async (opened, size) => await opened.write('#', size >> 1))
    await change(documentFile, async (opened, size) => { await opened.truncate(size - 1) })
    await change(consentFile, async (opened, size) => await opened.write('more', size))
    await t.rejects(download('Patient.1.ndjson'), 'one byte is another')
    await t.rejects(download('Patient.1.ndjson', { 'accept-encoding': 'gzip' }), 'and compressed')
    t.match(await download('DocumentReference.1.ndjson'), { status: 503, text: /The content store is unavailable/ }, 'one byte is missing')
    t.match(await download('Consent.1.ndjson'), { status: 503 }, 'some bytes are too many')
    t.equal((await download('Provenance.1.ndjson')).text.split('\n').length, 2_001)
    t.ok((await readdir(fileURLToPath(parts.storeUrl))).length === 4)
  })

const queues = [
  { name: 'PostgreSQL', open: async (_t: unknown, databaseUrl: string) => databaseUrl, skip: false },
  { name: 'Redis', open: async (t: Parameters<typeof openRedis>[0]) => await openRedis(t), ...needs('redis') },
] as const

for (const { name, open, skip } of queues) {
  t.test(`jobs of another version, of exports that nobody knows, and of nothing at all: exports go on (${name})`, {
    buffered: true, skip,
  }, async (t) => {
    const embedded = await openEmbeddedParts(t)
    const parts = { ...embedded, queueUrl: await open(t, embedded.databaseUrl) }
    const system = await openSystem(t, parts)
    await givenPatients(system.db, patients)
    const worker = await system.startWorker()
    const redis = parts.queueUrl.startsWith('redis') ? new Redis(parts.queueUrl, { maxRetriesPerRequest: null }) : undefined
    const queue = redis === undefined
      ? new Queue(exportQueueName, { connection: { connectionString: parts.queueUrl } as ConnectionOptions },
        createPostgresBackend as never)
      : new Queue(exportQueueName, { connection: redis })
    t.teardown(async () => {
      await queue.close()
      redis?.disconnect()
    })
    await queue.add('export', { version: 99, patients: 'everybody' }, { jobId: '00000000-0000-4000-8000-000000000000' })
    await queue.add('something else', null, { jobId: 'not-a-uuid' })
    await queue.add('export', [], { jobId: "p1'; DROP TABLE bulk_export_jobs; --" })
    const id = await startExport(system)
    t.match(await assertExported(t, system, id, patients), { attempt: 1 })
    await eventually(async () => Object.values(await queue.getJobCounts()).every((count) => count === 0))
    t.notOk(worker.lines.some((line) => line.includes('"level":60')))
    await assertExported(t, system, await startExport(system), patients)
  })
}

t.test('a database newer than the program: API and worker refuse to start, and say so', { buffered: true }, async (t) => {
  const system = await openSystem(t, await openEmbeddedParts(t))
  await sql`INSERT INTO bulk_export_migration (name, timestamp) VALUES ('9999-FromTheFuture', '')`.execute(system.db)
  for (const start of [system.startApi, system.startWorker]) {
    const refused = await start()
    t.equal(await refused.ended, 1)
    t.match(refused.lines.join('\n'), /The database is newer than this version of the service: it has 9999-FromTheFuture/)
  }
})
