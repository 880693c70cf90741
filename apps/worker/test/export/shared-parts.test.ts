import { findPublishedFiles } from '@fhir-bulk-export/core/exports'
import { ended, keptKeys } from '@fhir-bulk-export/core/testing/database'
import t from 'tap'
import { openWith, readExport } from '../fixtures/service.ts'

/** Every export but a patient's own is shared, in parts of a few blocks. */
const shared = { EXPORT_PART_BYTES: '32KiB', EXPORT_READERS: '1' }
const patients = 3_000

t.test('the parts of an export are read by several workers, every row once', async (t) => {
  const service = await openWith(t, patients, shared)
  await Promise.all([service.startWorker(), service.startWorker()])
  const id = await service.kickOff()
  const rows = 4 * patients
  t.match(await ended(service, id), { status: 'completed', total_resources: rows, exported_resources: rows, failure_reason: null })
  const resources = Object.values(await readExport(service, id)).flat()
  t.equal(resources.length, 4 * patients)
  t.equal(new Set(resources.map((resource) => resource.id)).size, 4 * patients)
  t.ok((await findPublishedFiles(service.db, id) ?? []).length > 8, 'in many parts')
  t.equal((await keptKeys(service.store)).length, (await findPublishedFiles(service.db, id))?.length)
})
