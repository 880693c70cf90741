import { ServiceError } from '@fhir-bulk-export/core/errors'
import { quote } from '../http/quote.ts'
import type { Lenience } from './lenience.ts'
import type { SentParameter } from './request.ts'
import { kickOffParameters, unsupportedParameters } from './table.ts'
import type { KickOffContext, KickOffParameter, RequestedExport } from './parameter.ts'
import { dropLoneProvenance } from './types.ts'

/**
 * What the parameters of a kick-off ask for (Bulk Data 3.0.0, Query Parameters). Whether there are the named patients is not known yet.
 * @throws ServiceError INVALID_PARAMETER, UNSUPPORTED_PARAMETER or FORBIDDEN that names the parameter.
 */
export function parseKickOff (sent: SentParameter[], context: KickOffContext): Pick<RequestedExport, 'types' | 'parameters'> {
  const values = collectValues(sent, context.lenience)
  const requested: RequestedExport = { types: [], parameters: {}, askedTypes: [] }
  for (const [name, parameter] of kickOffParameters) {
    parameter.apply(toMembers(name, parameter, values.get(name) ?? [], context), requested, context)
  }
  const { parameters } = requested
  return { types: parameters.includeAssociatedData === undefined ? requested.types : dropLoneProvenance(requested), parameters }
}

function collectValues (sent: SentParameter[], lenience: Lenience): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const { name, value, from } of sent) {
    const parameter = kickOffParameters.get(name)
    if (parameter === undefined) {
      lenience.refuseUnlessLenient(
        unsupportedParameters.has(name) ? `The parameter ${name} is not supported` : `Unknown parameter ${quote(name)}`
      )
    } else if (parameter.isForBodyAlone === true && from === 'query') {
      throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} may be given in the body of a POST only`)
    } else {
      const others = values.get(name)
      if (others === undefined) values.set(name, [value])
      else others.push(value)
    }
  }
  return values
}

/** Lists may be comma-separated, repeated or both. */
function toMembers (name: string, { list }: KickOffParameter, values: string[], context: KickOffContext): string[] {
  if (list === undefined && values.length > 1) throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} may be given once only`)
  const { max = 1, split = (value: string) => value.split(',') } = list ?? { split: (value: string) => [value] }
  const members = values.flatMap((value) => split(value, context))
  const distinct = list === undefined ? members : [...new Set(members.map((member) => member.trim()))]
  if (distinct.length > max) {
    throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} has ${distinct.length} members: at most ${max} are accepted`)
  }
  if (distinct.includes('')) throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} has an empty value`)
  return distinct
}
