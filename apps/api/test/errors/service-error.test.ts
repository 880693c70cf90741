import { ServiceError } from '@fhir-bulk-export/core/errors'
import t from 'tap'
import { toServiceError } from '../../src/errors/service-error.ts'

const context = { requestId: 'the-request', unexpected: 'UNEXPECTED' } as const
const withFields = (message: string, fields: object) => Object.assign(new Error(message), fields)

t.test('a dependency that is away is UNAVAILABLE, however deep the error says so', async (t) => {
  for (const error of [
    withFields('connect ECONNREFUSED 10.0.0.7:5432', { code: 'ECONNREFUSED' }),
    withFields('terminating connection due to administrator command', { code: '57P01' }),
    withFields('the database system is starting up', { code: '57P03' }),
    withFields('sorry, too many clients already', { code: '53300' }),
    withFields('canceling statement due to statement timeout', { code: '57014' }),
    withFields('cannot execute INSERT in a read-only transaction', { code: '25006' }),
    new Error('timeout exceeded when trying to connect'),
    new Error('Connection terminated unexpectedly'),
    new Error('query failed', { cause: new Error('inner', { cause: withFields('', { code: 'ECONNRESET' }) }) }),
    new ServiceError('STORE_FAILED', 'connect ECONNREFUSED 10.0.0.7:5001'),
  ]) {
    const { code, retryAfter, message, cause } = toServiceError(error, context)
    t.match({ code, retryAfter }, { code: 'UNAVAILABLE', retryAfter: Number }, error.message)
    t.match(message, /^The (database|content store) is unavailable$/)
    t.equal(cause, error)
  }
})

t.test('what went wrong in here is told by its request id alone', async (t) => {
  for (const error of [
    new TypeError('x is not a function'),
    withFields('relation "bulk_export_jobs" does not exist', { code: '42P01' }),
    withFields('new row violates check constraint', { code: '23514' }),
    withFields('a framework error', { statusCode: 500 }),
    new ServiceError('SCHEMA_MISMATCH', 'the database of host 10.0.0.7'),
    'a string', undefined, null,
  ]) {
    t.match(toServiceError(error, context), {
      code: 'UNEXPECTED', message: 'An unexpected error; its request id is the-request', retryAfter: undefined,
    })
    t.match(toServiceError(error, { ...context, unexpected: 'UNAVAILABLE' }), {
      code: 'UNAVAILABLE', message: /the-request/, retryAfter: Number,
    })
  }
})

t.test('what the client did wrong is said as it is; the words of the framework are not passed on', async (t) => {
  const refusal = new ServiceError('FORBIDDEN', 'why')
  t.equal(toServiceError(refusal, context), refusal)
  for (const [statusCode, code] of [
    [400, 'MALFORMED_REQUEST'], [404, 'NOT_FOUND'], [408, 'REQUEST_TIMEOUT'], [413, 'PAYLOAD_TOO_LARGE'], [414, 'NOT_FOUND'],
    [415, 'UNSUPPORTED_MEDIA_TYPE'], [431, 'HEADERS_TOO_LARGE'],
  ] as const) {
    const error = toServiceError(withFields('/the/raw/url is not valid', { statusCode }), context)
    t.equal(error.code, code)
    t.notMatch(error.message, /raw/)
  }
})
