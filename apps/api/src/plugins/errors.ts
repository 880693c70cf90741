import { ServiceError } from '@fhir-bulk-export/core/errors'
import fp from 'fastify-plugin'
import { createErrorSender } from '../errors/error-sender.ts'

/** Every error leaves as an OperationOutcome (Bulk Data 3.0.0, Response - Error Status). */
export const errors = fp(async function errors (app, { publicUrl }: { publicUrl: string }) {
  const sendError = createErrorSender(publicUrl)
  app.setErrorHandler(sendError)
  // A hook, as setNotFoundHandler runs after the body was parsed: a malformed one would be a 400.
  app.addHook('onRequest', async function refuseUnknownRoute (request) {
    if (request.is404) throw nothingHere()
  })
  app.setNotFoundHandler(async function refuseUnknownFile () { throw nothingHere() }) // below a route with a wildcard
}, { name: 'errors' })

function nothingHere (): ServiceError {
  return new ServiceError('NOT_FOUND', 'There is nothing at this address')
}
