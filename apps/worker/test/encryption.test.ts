import { findPublishedFiles, cancelExport } from '@fhir-bulk-export/core/exports'
import { toCiphertextSize } from '@fhir-bulk-export/core/crypto'
import { toFileKey } from '@fhir-bulk-export/core/store'
import { getServerUrl, needs } from '@fhir-bulk-export/stack/optional-servers'
import { buffer } from 'node:stream/consumers'
import { ended, eventually } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { runBulkExportCleanup } from '../src/tasks/bulk-export-cleanup.task.ts'
import { holdOthers, log, openWith, readExport, running, startWith } from './fixtures/service.ts'

const EXPORT_ENCRYPTION_KEY = `k1:${Buffer.alloc(32, 1).toString('base64')}`
const stores = [
  { name: 'folder', ...needs(), open: () => ({}) },
  { name: 'node', ...needs('kubo'), open: () => ({ IPFS_URL: getServerUrl('kubo') }) },
]

for (const { name, skip, open } of stores) {
  t.test(`${name}: what leaves the worker is ciphertext; with its key every file is there, whole`, { skip }, async (t) => {
    const service = await startWith(t, 1_000, { ...open(), EXPORT_ENCRYPTION_KEY })
    const id = await service.kickOff()
    t.match(await ended(service, id), { status: 'completed', exported_resources: 4_000 })
    const files = await findPublishedFiles(service.db, id) ?? []
    for (const file of files) {
      t.match(file, { key_id: 'k1', wrapped_key: Buffer })
      const { cid, pin, size } = file
      if (cid === null || size === null) throw new Error('a published file is known whole')
      const stored = await buffer(service.store.read({ key: toFileKey(file), cid, pin, size: toCiphertextSize(size) }))
      t.notOk(stored.includes('resourceType'), file.name ?? '')
    }
    const contents = await readExport(service, id)
    t.equal(Object.values(contents).flat().length, 4_000)
    t.equal(new Set(files.map(({ wrapped_key: wrapped }) => wrapped?.toString('hex'))).size, files.length, 'each has a key of its own')
    await cancelExport(service.db, id, 60_000)
  })
}

t.test('an export that is cancelled in mid-file leaves no key', async (t) => {
  const service = await openWith(t, 20_000, { EXPORT_ENCRYPTION_KEY })
  await holdOthers(service, 'patients', "id <> 'p20000'")
  await service.startWorker({ EXPORT_FILE_BYTES: '1MiB' })
  const id = await service.kickOff({ types: ['Patient'] })
  await running(service.db, id)
  const keys = async () =>
    (await service.db.selectFrom('bulk_export_files').select('n').where('wrapped_key', 'is not', null).execute()).length
  await eventually(async () => await keys() > 0)
  t.equal(await cancelExport(service.db, id, 60_000), true)
  t.equal(await keys(), 0)
  await eventually(async () =>
    (await service.db.selectFrom('bulk_export_files').select('n').where('state', '<>', 'dropped').execute()).length === 0)
  t.equal(await keys(), 0)
})

t.test('an expired export loses its keys before its files', async (t) => {
  const service = await openWith(t, 10, { EXPORT_ENCRYPTION_KEY })
  const worker = await service.startWorker()
  const id = await service.kickOff({ types: ['Patient'] })
  await ended(service, id)
  await worker.close()
  await sql`UPDATE bulk_export_jobs SET expires_at = now() WHERE id = ${id}`.execute(service.db)
  let keysAtDrop: number | undefined
  const store = {
    ...service.store,
    drop: async (...args: Parameters<typeof service.store.drop>) => {
      keysAtDrop = (await service.db.selectFrom('bulk_export_files').select('n').where('wrapped_key', 'is not', null).execute()).length
      await service.store.drop(...args)
    },
  }
  await runBulkExportCleanup({ db: service.db, store, log })
  t.equal(keysAtDrop, 0)
})
