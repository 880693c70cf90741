import type { CodeableConcept, CodeSystem } from 'fhir/r4.js'
import { toFhirBase } from './fhir-base.ts'

/** OperationOutcome.issue.details.coding, of errors over HTTP and of the lines of error files: the code, its name and what it means. */
const concepts = {
  'bad-request': ['Bad request', 'The request is malformed, or asks for what is not supported.'],
  unauthorized: ['Not authenticated', 'The bearer token is missing, malformed, expired or wrongly signed.'],
  forbidden: ['Not permitted', 'The caller may not do this.'],
  'not-found': ['Does not exist', 'There is no such export, file or resource here, or it has expired.'],
  'method-not-allowed': ['Method not allowed', 'The address takes other methods, which Allow names.'],
  'not-acceptable': ['No such format', 'Resources come as JSON alone.'],
  'request-timeout': ['Request timed out', 'The request took too long to arrive.'],
  'precondition-failed': ['Precondition failed', 'The file is another one than If-Match says.'],
  'payload-too-large': ['Body too large', 'The body is larger than is accepted.'],
  'unsupported-media-type': ['Unsupported media type', 'The body is of a type that is not accepted.'],
  'range-not-satisfiable': ['Range not satisfiable', 'The file has no such range.'],
  'too-many-requests': ['Limit reached', 'Too many exports, or too many requests: Retry-After says how long to wait.'],
  'request-header-fields-too-large': ['Headers too large', 'The headers or the address are larger than is accepted.'],
  'internal-error': ['Internal error',
    'Something went wrong here. The diagnostics hold the request id, by which the operator finds it in the log.'],
  unavailable: ['Unavailable for now', 'Something that is needed here is away: Retry-After says when to try again.'],
  'export-failed': ['Export failed', 'The export ended without files.'],
  'resource-left-out': ['Resource left out', 'A resource is not in the export, because it is no valid R4 or too large.'],
  'resource-incomplete': ['Resource incomplete', 'A resource is in the export, without the element that is named.'],
  'parameter-ignored': ['Parameter ignored', 'A part of the request was ignored, as Prefer: handling=lenient asks.'],
} as const satisfies Record<string, [display: string, definition: string]>

export type ErrorCoding = keyof typeof concepts

function toUrl (publicUrl: string): string {
  return `${toFhirBase(publicUrl)}/CodeSystem/error-code`
}

export function toErrorDetails (code: ErrorCoding, publicUrl: string) {
  return { coding: [{ system: toUrl(publicUrl), code }], text: concepts[code][0] } satisfies CodeableConcept
}

/** http://hl7.org/fhir/R4/codesystem.html */
export function toErrorCodeSystem (publicUrl: string): CodeSystem {
  return {
    resourceType: 'CodeSystem',
    id: 'error-code',
    url: toUrl(publicUrl),
    name: 'ErrorCode',
    title: 'Errors of the bulk export',
    status: 'active',
    caseSensitive: true,
    content: 'complete',
    count: Object.keys(concepts).length,
    concept: Object.entries(concepts).map(([code, [display, definition]]) => ({ code, display, definition })),
  }
}
