import { signToken } from './tokens.ts'

export interface Access {
  publicUrl: string
  jwtSecret: string
  patientId: string | undefined
  databaseUrl: string
  directory: string
}

const lifetimeSeconds = 12 * 3_600

/** What to paste into a shell. */
export function describeAccess ({ publicUrl, jwtSecret, patientId, databaseUrl, directory }: Access): string {
  const base = `${publicUrl}/fhir/r4`
  const patient = patientId === undefined
    ? '# no patient is loaded'
    : `PATIENT=${signToken(jwtSecret, { role: 'PATIENT', patient_id: patientId, sub: patientId }, { lifetimeSeconds })}`
  return `
Ready on ${publicUrl} (API documentation: ${publicUrl}/docs)

# Tokens, good for 12 hours: of an ADMIN, and of the patient ${patientId ?? ''}
ADMIN=${signToken(jwtSecret, { role: 'ADMIN', sub: 'admin' }, { lifetimeSeconds })}
${patient}

# 1. Start an export (of one's own data alone: with $PATIENT)
STATUS=$(curl -s -D - -o /dev/null -H "Authorization: Bearer $ADMIN" -H 'Prefer: respond-async' '${base}/Patient/$export' | tr -d '\\r' | awk 'tolower($1) == "content-location:" { print $2 }'); echo "$STATUS"

# 2. Its status: 202 while it runs, then 200 and the manifest
curl -i -H "Authorization: Bearer $ADMIN" "$STATUS"

# 3. A file of the manifest
curl -s -H "Authorization: Bearer $ADMIN" "$(curl -s -H "Authorization: Bearer $ADMIN" "$STATUS" | grep -o 'http[^"]*Patient.1.ndjson' | head -1)" | head -c 2000

# 4. Cancel it, or drop its files
curl -i -X DELETE -H "Authorization: Bearer $ADMIN" "$STATUS"

Database  ${databaseUrl}
Logs      ${directory}/api.log, ${directory}/worker.log
Ctrl-C stops everything; the data are kept.`
}
