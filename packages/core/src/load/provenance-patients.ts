import { sql } from 'kysely'
import type { QueryExecutorProvider } from 'kysely'
import type { Reference } from 'fhir/r4.js'
import { referencedId } from '../fhir/reference.ts'
import type { ProvenanceRow } from './provenance-row.ts'

/** Sets `patient_id` where no target is a patient: that of the first target whose row is in the source. */
export async function findPatients (db: QueryExecutorProvider, rows: readonly ProvenanceRow[]): Promise<void> {
  const orphans = rows.filter(({ row }) => row.patient_id === null)
  if (orphans.length === 0) return
  const targets = orphans.flatMap(orphan => orphan.targets)
  const documents = targets.map(target => referencedId(target, 'DocumentReference')).filter(id => id !== undefined)
  const consents = targets.map(target => referencedId(target, 'Consent')).filter(id => id !== undefined)

  const { rows: owners } = await sql<{ reference: string, patient_id: string }>`
    SELECT 'DocumentReference/' || id AS reference, patient_id FROM source.medical_records WHERE id = ANY(${documents}::text[])
    UNION ALL
    SELECT 'Consent/' || id, patient_id FROM source.consents WHERE id = ANY(${consents}::text[])`.execute(db)
  const patients = new Map(owners.map(owner => [owner.reference, owner.patient_id]))
  const patientOf = (target: Reference): string | undefined => patients.get(target.reference ?? '')
  for (const { row, targets } of orphans) row.patient_id = targets.map(patientOf).find(id => id !== undefined) ?? null
}
