import { givenTypes } from '@fhir-bulk-export/core/testing/database'
import { copyRows } from '@fhir-bulk-export/stack/copy-rows'
import { writeFiles } from '@fhir-bulk-export/stack/generate/files'
import { sql } from 'kysely'
import t from 'tap'
import { openService, openWith, readExport } from '../fixtures/service.ts'

/** The literal references anywhere in a value. */
function literals (value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = 'reference' in value && typeof value.reference === 'string' ? [value.reference] : []
  return [...own, ...Object.values(value).flatMap(literals)]
}

t.test('literal references of an export of all types resolve within it', async (t) => {
  const service = await openService(t)
  const data = t.testdir({})
  await writeFiles(data, { patients: 80, seed: 5 })
  await copyRows(service.environment.DATABASE_URL ?? '', data)
  await service.startWorker()
  const row = await service.run()
  const resources = Object.values(await readExport(service, row.id)).flat()
  const held = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${id}`))
  const references = resources.flatMap(literals).filter((reference) => givenTypes.some((type) => reference.startsWith(`${type}/`)))
  t.ok(references.length > 500)
  t.same(references.filter((reference) => !held.has(reference)), [])
})

t.test('a reference to what an export does not hold stays literal: it says where it leads, not that the client may go there', async (t) => {
  const service = await openWith(t, 2)
  await sql`UPDATE source.patients SET link = '[{"type":"seealso","other":{"reference":"Patient/p2"}}]' WHERE id = 'p1'`.execute(service.db)
  await service.startWorker()
  const row = await service.run({ requester_role: 'PATIENT', patient_id: 'p1', types: ['Patient'] })
  t.match(await readExport(service, row.id), { 'Patient.1.ndjson': [{ id: 'p1', link: [{ other: { reference: 'Patient/p2' } }] }] })
})
