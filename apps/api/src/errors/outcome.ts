import { toErrorDetails } from '@fhir-bulk-export/core/error-codes'
import type { ServiceError } from '@fhir-bulk-export/core/errors'
import type { OperationOutcome } from 'fhir/r4.js'
import { httpErrors } from './http-errors.ts'

export const fhirJson = 'application/fhir+json'

/** http://hl7.org/fhir/R4/operationoutcome.html, with one issue. */
export function toOutcome (error: ServiceError, publicUrl: string): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    issue: [{
      severity: 'error',
      code: error.issue,
      details: toErrorDetails(httpErrors[error.code].coding, publicUrl),
      diagnostics: error.message,
    }],
  }
}
