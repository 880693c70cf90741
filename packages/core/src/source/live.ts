/** SQL that is true for a row (with a patient_id) whose patient is not deleted; nothing where patients cannot be. */
export function ofLivePatient (alias: string, patients: Readonly<Record<string, unknown>> | undefined): string[] {
  if (patients?.deleted_at === undefined) return []
  return [`NOT EXISTS (SELECT FROM source.patients p WHERE p.id::text = ${alias}.patient_id::text AND p.deleted_at IS NOT NULL)`]
}
