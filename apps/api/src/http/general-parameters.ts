import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyRequest } from 'fastify'
import { takesXmlAlone } from '../http/accept.ts'
import { quote } from '../http/quote.ts'

type Given = Record<string, string | string[]>

/** What `_format` may be: JSON by any of its names (http://hl7.org/fhir/R4/http.html#parameters). A `+` that was not encoded arrives as a space. */
const json = /^(json|text\/json|application\/json|application\/fhir[+ ]json)$/

/** What a parameter of any address has to be. */
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

/** The rest of a query or a form, without what any address takes. `_pretty` has no effect, as a server may have it. */
export function takeGeneralParameters (given: Given): Given {
  return Object.fromEntries(Object.entries(given).filter(function isRest ([name, values]) {
    if (!isGeneralParameter(name)) return true
    assertGeneralParameter(name, [values].flat())
    return false
  }))
}

/** An onRequest hook. Resources come as JSON: whoever takes XML alone is told so (RFC 9110, 15.5.7). `_format` counts more than Accept. */
export async function takeGeneralParametersOfQuery (request: FastifyRequest): Promise<void> {
  const query = request.query as Given // as the framework parses it
  if (query._format === undefined && takesXmlAlone(request.headers.accept)) throw new ServiceError('NOT_ACCEPTABLE')
  request.query = takeGeneralParameters(query)
}
