import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { quote } from '../../../http/quote.ts'
import { assertGeneralParameter, isGeneralParameter } from '../../../http/general-parameters.ts'
import { isParameterName } from './given.ts'
import type { Given, ParameterName } from './given.ts'
import { assertFewParameters } from './limits.ts'

/** http://hl7.org/fhir/R4/parameters.html. Which value a parameter takes is judged by its name, in readBody. */
export const kickOffBody = Type.Object({
  resourceType: Type.Literal('Parameters'),
  parameter: Type.Optional(Type.Array(Type.Object({ name: Type.String() }, { additionalProperties: true }))),
}, {
  title: 'Parameters',
  description: 'The parameters of the query, as valueString (`_since` and `_until` as valueInstant), and `patient`, ' +
    'as often as there are patients, as valueReference. An empty body is none of them.',
})

const texts = ['valueString', 'valueCode', 'valueUri']
/** Bulk Data 3.0.0, Query Parameters: the type of each. */
const valueTypes: Record<ParameterName, readonly string[]> = {
  _type: texts,
  _since: ['valueInstant'],
  _until: ['valueInstant'],
  _outputFormat: texts,
  _elements: texts,
  _typeFilter: texts,
  includeAssociatedData: texts,
  patient: ['valueReference'],
}

/** @throws ServiceError INVALID_PARAMETER that names the parameter. */
export function readBody ({ parameter = [] }: Static<typeof kickOffBody>): Given[] {
  assertFewParameters(parameter.length)
  return parameter.filter(isRest).map((part): Given => {
    const { name } = part
    return { name, value: isParameterName(name) ? readValue(name, new Map(Object.entries(part))) : '', from: 'body' }
  })
}

/** What any address takes is taken, whichever value it is given as. */
function isRest ({ name, ...part }: { name: string }): boolean {
  if (!isGeneralParameter(name)) return true
  assertGeneralParameter(name, Object.values(part).map(String))
  return false
}

function readValue (name: ParameterName, part: Map<string, unknown>): string {
  const elements = [...part.keys()].filter((element) => element !== 'name' && element !== 'id' && element !== 'extension')
  const [element = '', ...others] = elements
  const expected = valueTypes[name]
  if (!expected.includes(element) || others.length > 0) {
    const more = elements.length > 2 ? [`${elements.length - 2} more`] : []
    const found = elements.length === 0 ? 'no value' : [...elements.slice(0, 2).map(quote), ...more].join(' and ')
    throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} must be given as ${expected.join(' or ')}, not as ${found}`)
  }
  const value = part.get(element)
  if (element === 'valueReference') return readReference(name, value)
  if (typeof value !== 'string') throw new ServiceError('INVALID_PARAMETER', `The parameter ${name}: ${element} must be a string`)
  return value
}

function readReference (name: ParameterName, value: unknown): string {
  const reference = typeof value === 'object' && value !== null && 'reference' in value ? value.reference : undefined
  if (typeof reference !== 'string') throw new ServiceError('INVALID_PARAMETER', `The parameter ${name}: valueReference must have a reference`)
  return reference
}
