import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Type, type Static } from '@sinclair/typebox'
import { assertGeneralParameter, isGeneralParameter } from '../http/general-parameters.ts'
import { quote } from '../http/quote.ts'
import { kickOffParameters } from './table.ts'

/** A parameter as it was sent: one for each time that it was named. */
export interface SentParameter {
  name: string
  value: string
  from: 'query' | 'body'
}

/** Query and body together. */
const maxParameters = 6_000

const oneOrMore = Type.Union([Type.String(), Type.Array(Type.String())])

/** A parameter that comes twice in a query is an array. Unknown ones pass here: parseKickOff names them. */
export const kickOffQuery = Type.Object(
  Object.fromEntries([...kickOffParameters].filter(([, { isForBodyAlone }]) => isForBodyAlone !== true)
    .map(([name, { description }]) => [name, Type.Optional(Type.Union(oneOrMore.anyOf, { description }))])),
  { additionalProperties: oneOrMore }
)

/** http://hl7.org/fhir/R4/parameters.html. The name of a parameter decides which value it takes: readSentParameters checks that. */
export const kickOffBody = Type.Object({
  resourceType: Type.Literal('Parameters'),
  parameter: Type.Optional(Type.Array(Type.Object({ name: Type.String() }, { additionalProperties: true }))),
}, {
  title: 'Parameters',
  description: 'The parameters of the query, as valueString (`_since` and `_until` as valueInstant), and `patient`, ' +
    'as often as there are patients, as valueReference. An empty body is none of them.',
})

/** @throws ServiceError INVALID_PARAMETER that names the parameter, lenient or not. */
export function readSentParameters (
  query: Static<typeof kickOffQuery>, body: Static<typeof kickOffBody> = { resourceType: 'Parameters' }
): SentParameter[] {
  const { parameter = [] } = body
  const fromQuery = Object.entries(query).flatMap(
    ([name, values = []]) => [values].flat().map((value): SentParameter => ({ name, value, from: 'query' }))
  )
  const count = fromQuery.length + parameter.length
  if (count > maxParameters) {
    throw new ServiceError('INVALID_PARAMETER', `The request has ${count} parameters: at most ${maxParameters} are accepted`)
  }
  const fromBody = parameter.filter(isKickOffParameter).map(({ name, ...values }): SentParameter => ({
    name, value: readValue(name, values), from: 'body',
  }))
  return [...fromQuery, ...fromBody]
}

/** `_format` and `_pretty` are checked and left out, whichever value element holds them. */
function isKickOffParameter ({ name, ...values }: { name: string }): boolean {
  if (!isGeneralParameter(name)) return true
  assertGeneralParameter(name, Object.values(values).map(String))
  return false
}

function readValue (name: string, part: object): string {
  const expected = kickOffParameters.get(name)?.valueElements
  if (expected === undefined) return ''
  const values = new Map<string, unknown>(Object.entries(part).filter(([element]) => element !== 'id' && element !== 'extension'))
  const [element = '', ...others] = values.keys()
  if (!expected.includes(element) || others.length > 0) {
    const more = others.length > 1 ? [`${others.length - 1} more`] : []
    const found = values.size === 0 ? 'no value' : [...[...values.keys()].slice(0, 2).map(quote), ...more].join(' and ')
    throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} must be given as ${expected.join(' or ')}, not as ${found}`)
  }
  const value = values.get(element)
  if (element === 'valueReference') return readReference(name, value)
  if (typeof value !== 'string') throw new ServiceError('INVALID_PARAMETER', `The parameter ${name}: ${element} must be a string`)
  return value
}

function readReference (name: string, value: unknown): string {
  const reference = typeof value === 'object' && value !== null && 'reference' in value ? value.reference : undefined
  if (typeof reference !== 'string') {
    throw new ServiceError('INVALID_PARAMETER', `The parameter ${name}: valueReference must have a reference`)
  }
  return reference
}
