import { signToken } from './tokens.ts'
import { inRepository } from './workspace.ts'

export interface Access {
  publicUrl: string
  jwtSecret: string
  patientId: string | undefined
  databaseUrl: string
  directory: string
  /** Registered, with the key in this file. */
  client: { id: string, keyFile: string }
}

const lifetimeSeconds = 12 * 3_600

/** What to paste into a shell. */
export function describeAccess ({ publicUrl, jwtSecret, patientId, databaseUrl, directory, client }: Access): string {
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
STATUS=$(curl -s -D - -o /dev/null -H "Authorization: Bearer $ADMIN" -H 'Prefer: respond-async' '${base}/Patient/$export' \\
  | tr -d '\\r' | awk 'tolower($1) == "content-location:" { print $2 }'); echo "$STATUS"

# 2. Its status: 202 while it runs, then 200 and the manifest
curl -i -H "Authorization: Bearer $ADMIN" "$STATUS"

# 3. A file of the manifest
FILE=$(curl -s -H "Authorization: Bearer $ADMIN" "$STATUS" | grep -o 'http[^"]*Patient.1.ndjson' | head -1)
curl -s -H "Authorization: Bearer $ADMIN" "$FILE" | head -c 2000

# 4. Cancel it, or drop its files
curl -i -X DELETE -H "Authorization: Bearer $ADMIN" "$STATUS"

# As the registered client ${client.id} (SMART Backend Services): its key signs an assertion, and for that there is a token of five minutes
ASSERTION=$('${process.execPath}' '${inRepository('packages/stack/src/client/assertion.ts')}' \\
  --client ${client.id} --key '${client.keyFile}' --url ${publicUrl}/auth/token)
TOKEN=$(curl -s ${publicUrl}/auth/token -d grant_type=client_credentials -d scope='system/*.rs' -d client_assertion="$ASSERTION" \\
  -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
curl -i -H "Authorization: Bearer $TOKEN" -H 'Accept: application/fhir+json' -H 'Prefer: respond-async' '${base}/$export'

Database  ${databaseUrl}
Logs      ${directory}/api.log, ${directory}/worker.log
Ctrl-C stops everything; the data are kept.`
}
