import type { IncomingHttpHeaders } from 'node:http'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { WireProfile } from '@fhir-bulk-export/core/exports'
import { fhirJson } from '../../errors/outcome.ts'
import { namesMediaType } from '../../http/accept.ts'
import { parsePrefer } from '../../http/prefer.ts'

export interface Preferences {
  wireProfile: WireProfile
  /** http://hl7.org/fhir/R4/search.html#errors: what is not supported is ignored, and reported. */
  isLenient: boolean
}

/** Bulk Data 3.0.0, Bulk Data Kick-off Request, Headers: `separate-export-status` means something beside `respond-async` only. */
export function toPreferences (headers: IncomingHttpHeaders): Preferences {
  const preferences = parsePrefer(headers.prefer)
  const isLenient = preferences.get('handling')?.toLowerCase() === 'lenient'
  if (!preferences.has('respond-async')) return { wireProfile: 'reference-card', isLenient }
  return { wireProfile: preferences.has('separate-export-status') ? 'separate-export-status' : 'respond-async', isLenient }
}

/**
 * BULK_DATA_STRICT. Bulk Data 3.0.0: a server MAY refuse a kick-off without these headers, which clients SHOULD send.
 * @throws ServiceError MALFORMED_REQUEST
 */
export function assertBulkDataHeaders (headers: IncomingHttpHeaders, { wireProfile }: Preferences): void {
  if (!namesMediaType(headers.accept, fhirJson)) throw new ServiceError('MALFORMED_REQUEST', `The Accept header must name ${fhirJson}`)
  if (wireProfile === 'reference-card') throw new ServiceError('MALFORMED_REQUEST', 'The Prefer header must name respond-async')
}
