import { toErrorDetails } from '@fhir-bulk-export/core/error-codes'
import type { ServiceError } from '@fhir-bulk-export/core/errors'
import { Type, type Static } from '@sinclair/typebox'
import { httpErrors } from './http-errors.ts'

export const fhirJson = 'application/fhir+json'

/** http://hl7.org/fhir/R4/operationoutcome.html, with one issue. */
export const outcomeSchema = Type.Object({
  resourceType: Type.Literal('OperationOutcome'),
  issue: Type.Array(Type.Object({
    severity: Type.Literal('error'),
    code: Type.String({ description: 'Of http://hl7.org/fhir/issue-type' }),
    details: Type.Object({
      coding: Type.Array(Type.Object({
        system: Type.String(),
        code: Type.String({ description: 'For programs: /CodeSystem/error-code has all of them' }),
      }), { minItems: 1 }),
      text: Type.String({ description: 'What kind of error it is' }),
    }),
    diagnostics: Type.String({ description: 'What is wrong' }),
  }), { minItems: 1 }),
}, { title: 'OperationOutcome' })
export type Outcome = Static<typeof outcomeSchema>

export function toOutcome (error: ServiceError, publicUrl: string): Outcome {
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
