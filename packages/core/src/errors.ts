/**
 * The catalogue of errors this system raises on purpose. Match on `code`, never on the message; the cause is kept.
 * The HTTP status of a code is derived in one place, errors/http-errors.ts of the API.
 *
 * `issue` is the OperationOutcome.issue.code (http://hl7.org/fhir/R4/valueset-issue-type.html).
 * Messages are read by clients and operators: they name the parameter, the relation or the dependency, never a patient.
 */
const catalogue = {
  INVALID_PARAMETER: { issue: 'value', message: 'The request has an invalid parameter' },
  UNSUPPORTED_PARAMETER: { issue: 'not-supported', message: 'The request has a parameter that is not supported' },
  MALFORMED_REQUEST: { issue: 'invalid', message: 'The request is malformed' },
  UNAUTHORIZED: { issue: 'login', message: 'A valid bearer token is required' },
  FORBIDDEN: { issue: 'forbidden', message: 'Access denied' },
  NOT_FOUND: { issue: 'not-found', message: 'Not found' },
  METHOD_NOT_ALLOWED: { issue: 'not-supported', message: 'This method is not supported here' },
  NOT_ACCEPTABLE: { issue: 'not-supported', message: 'Resources come as JSON alone' },
  PRECONDITION_FAILED: { issue: 'conflict', message: 'The file is another one than If-Match says' },
  REQUEST_TIMEOUT: { issue: 'timeout', message: 'The request took too long to arrive' },
  PAYLOAD_TOO_LARGE: { issue: 'too-long', message: 'The request is too large' },
  HEADERS_TOO_LARGE: { issue: 'too-long', message: 'The headers or the URL of the request are too large' },
  UNSUPPORTED_MEDIA_TYPE: { issue: 'not-supported', message: 'The content type of the request is not supported' },
  RANGE_NOT_SATISFIABLE: { issue: 'not-supported', message: 'The file does not have the range that was asked for' },
  TOO_MANY_EXPORTS: { issue: 'throttled', message: 'Too many active exports' },
  TOO_MANY_REQUESTS: { issue: 'throttled', message: 'Too many requests' },
  UNAVAILABLE: { issue: 'transient', message: 'A dependency is unavailable' },
  UNEXPECTED: { issue: 'exception', message: 'An unexpected error' },
  EXPORT_FAILED: { issue: 'processing', message: 'The export failed' },
  CONFIG_INVALID: { issue: 'exception', message: 'The configuration is invalid' },
  SCHEMA_MISMATCH: { issue: 'exception', message: 'The database schema does not fit this version' },
  SOURCE_MISMATCH: { issue: 'exception', message: 'The source relations lack what an export needs' },
  SOURCE_FAILED: { issue: 'exception', message: 'The source could not be read' },
  SNAPSHOT_LOST: { issue: 'transient', message: 'The snapshot that an export was read from is gone' },
  SETTING_REFUSED: { issue: 'exception', message: 'A setting of the database would change what is exported' },
  GRANT_MISSING: { issue: 'exception', message: 'The database role lacks a grant that an export needs' },
  TOO_MANY_ROW_ERRORS: { issue: 'exception', message: 'Too many rows cannot be exported' },
  STORE_FAILED: { issue: 'transient', message: 'The content store failed' },
  STORE_SHORT: { issue: 'transient', message: 'The content store delivered fewer bytes than it holds' },
  STORE_FULL: { issue: 'transient', message: 'The content store is full' },
  STORE_NOT_FOUND: { issue: 'not-found', message: 'The content store does not hold this file' },
  STORE_CORRUPT: { issue: 'transient', message: 'The content store delivered other bytes than it was given' },
  STORE_PUBLIC: { issue: 'exception', message: 'The content store may be open to the public' },
  KEY_UNUSABLE: { issue: 'transient', message: 'The key of an encrypted file is not at hand' },
} as const satisfies Record<string, { issue: string, message: string }>

export type ErrorCode = keyof typeof catalogue
export type IssueType = (typeof catalogue)[ErrorCode]['issue']

export function isErrorCode (code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code)
}

export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ErrorCode
  /** Seconds after which it is worth trying again, for a Retry-After header. */
  readonly retryAfter: number | undefined

  constructor (code: ErrorCode, detail?: string, options: { cause?: unknown, retryAfter?: number } = {}) {
    super(detail ?? catalogue[code].message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryAfter = options.retryAfter
  }

  get issue (): IssueType {
    return catalogue[this.code].issue
  }
}

export function isServiceError (error: unknown, ...codes: ErrorCode[]): error is ServiceError {
  return error instanceof ServiceError && (codes.length === 0 || codes.includes(error.code))
}
