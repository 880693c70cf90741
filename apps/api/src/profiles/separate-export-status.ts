import { STATUS_CODES } from 'node:http'
import { fhirJson, toOutcome } from '../errors/outcome.ts'
import { toDeletedError, toFailure, type Profile, type StatusAnswer } from './profile.ts'
import { respondAsync } from './respond-async.ts'

/** Bulk Data 3.0.0, Bulk Data Status Request: 200, and a header with the status code that respond-async has. */
export const separateExportStatus: Profile = {
  ...respondAsync,
  prefer: ['respond-async', 'separate-export-status'],
  running: (state) => inHeader(respondAsync.running(state)),
  completed: (state) => inHeader(respondAsync.completed(state)),
  failed ({ row, publicUrl }) {
    if (row.dropped_at !== null) throw toDeletedError()
    return inHeader({ code: 500, headers: { 'Content-Type': fhirJson }, body: toOutcome(toFailure(row), publicUrl) })
  },
}

function inHeader ({ code, headers, body }: Omit<StatusAnswer, 'code'> & { code: number }): StatusAnswer {
  return { code: 200, headers: { ...headers, 'X-Export-Status': `${code} ${STATUS_CODES[code]}` }, body }
}
