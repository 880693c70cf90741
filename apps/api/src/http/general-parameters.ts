import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyRequest } from 'fastify'
import { takesXmlAlone } from '../http/accept.ts'
import { quote } from '../http/quote.ts'

type Query = Record<string, string | string[]>

/** The names of JSON (http://hl7.org/fhir/R4/http.html#parameters). A `+` that was not encoded arrives as a space. */
const json = /^(json|text\/json|application\/json|application\/fhir[+ ]json)$/

/** Parameters that every address takes, with their checks. */
const general: Record<string, (value: string) => void> = {
  _format (value) {
    const [type = ''] = value.toLowerCase().split(';', 1)
    if (!json.test(type.trim())) throw new ServiceError('NOT_ACCEPTABLE', `Resources come as JSON alone, not as ${quote(value)}`)
  },
  _pretty (value) {
    if (value !== 'true' && value !== 'false') throw new ServiceError('INVALID_PARAMETER', 'The parameter _pretty must be true or false')
  },
}

export function isGeneralParameter (name: string): boolean {
  return Object.hasOwn(general, name)
}

/** @throws ServiceError NOT_ACCEPTABLE; INVALID_PARAMETER */
export function assertGeneralParameter (name: string, [value = '', ...others]: string[]): void {
  if (others.length > 0) throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} may be given once only`)
  general[name]?.(value)
}

/** Checks the general parameters of a query or a form, and leaves them out. `_pretty` has no effect, as the standard allows. */
export function removeGeneralParameters (query: Query): Query {
  return Object.fromEntries(Object.entries(query).filter(function isOther ([name, values]) {
    if (!isGeneralParameter(name)) return true
    assertGeneralParameter(name, [values].flat())
    return false
  }))
}

/** An onRequest hook. A request that accepts XML alone gets a 406 (RFC 9110, 15.5.7). `_format` overrides Accept. @throws ServiceError */
export async function checkGeneralParameters (request: FastifyRequest): Promise<void> {
  const query = request.query as Query // as the framework parses it
  if (query._format === undefined && takesXmlAlone(request.headers.accept)) throw new ServiceError('NOT_ACCEPTABLE')
  request.query = removeGeneralParameters(query)
}
