import type { ErrorCoding } from '@fhir-bulk-export/core/error-codes'
import type { ErrorCode } from '@fhir-bulk-export/core/errors'

export interface HttpError {
  status: number
  coding: ErrorCoding
}

const badRequest: HttpError = { status: 400, coding: 'bad-request' }
const tooManyRequests: HttpError = { status: 429, coding: 'too-many-requests' }
const internalError: HttpError = { status: 500, coding: 'internal-error' }
const unavailable: HttpError = { status: 503, coding: 'unavailable' }

/** HTTP status and coding of each error of the catalogue. */
export const httpErrors: Record<ErrorCode, HttpError> = {
  INVALID_PARAMETER: badRequest,
  UNSUPPORTED_PARAMETER: badRequest,
  MALFORMED_REQUEST: badRequest,
  UNAUTHORIZED: { status: 401, coding: 'unauthorized' },
  FORBIDDEN: { status: 403, coding: 'forbidden' },
  NOT_FOUND: { status: 404, coding: 'not-found' },
  METHOD_NOT_ALLOWED: { status: 405, coding: 'method-not-allowed' },
  NOT_ACCEPTABLE: { status: 406, coding: 'not-acceptable' },
  PRECONDITION_FAILED: { status: 412, coding: 'precondition-failed' },
  REQUEST_TIMEOUT: { status: 408, coding: 'request-timeout' },
  PAYLOAD_TOO_LARGE: { status: 413, coding: 'payload-too-large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, coding: 'unsupported-media-type' },
  RANGE_NOT_SATISFIABLE: { status: 416, coding: 'range-not-satisfiable' },
  TOO_MANY_EXPORTS: tooManyRequests,
  TOO_MANY_REQUESTS: tooManyRequests,
  HEADERS_TOO_LARGE: { status: 431, coding: 'request-header-fields-too-large' },
  UNAVAILABLE: unavailable,
  STORE_FAILED: unavailable,
  STORE_SHORT: unavailable,
  STORE_FULL: unavailable,
  STORE_CORRUPT: unavailable,
  STORE_PUBLIC: internalError,
  KEY_UNUSABLE: unavailable,
  STORE_NOT_FOUND: unavailable, // a file is kept as long as its export: a store without it is broken
  UNEXPECTED: internalError,
  EXPORT_FAILED: { status: 500, coding: 'export-failed' },
  CONFIG_INVALID: internalError,
  SCHEMA_MISMATCH: internalError,
  SOURCE_MISMATCH: internalError,
  SOURCE_FAILED: internalError,
  SNAPSHOT_LOST: internalError,
  SETTING_REFUSED: unavailable,
  GRANT_MISSING: internalError,
  TOO_MANY_ROW_ERRORS: internalError,
}
