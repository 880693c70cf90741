import { ServiceError } from '@fhir-bulk-export/core/errors'
import { isResourceType } from '@fhir-bulk-export/core/r4'
import { isInCompartment } from '@fhir-bulk-export/core/resources'
import { quote } from '../http/quote.ts'
import type { KickOffContext, RequestedExport } from './parameter.ts'

/** `_type`, and what includeAssociatedData adds to the types. */

/**
 * The types of an export, in the order of its files. Without `_type`: at system level all types, at the others those of the Patient
 * compartment.
 * Bulk Data 3.0.0, Query Parameters (`_type`): a named type outside of the token's scopes is an error; without `_type` the scopes
 * limit the export. An emptied list stays empty: lenient never widens.
 * @throws ServiceError FORBIDDEN; UNSUPPORTED_PARAMETER
 */
export function selectTypes (named: string[], context: KickOffContext): string[] {
  const { sourceTypes, lenience } = context
  if (named.length === 0) return toDefaultTypes(context)
  for (const type of named) {
    if (!isResourceType(type)) {
      lenience.refuseUnlessLenient(`_type: ${quote(type)} is no resource type of FHIR R4`)
      continue
    }
    assertPermitted(type, context)
    if (!sourceTypes.includes(type)) lenience.refuseUnlessLenient(`_type: ${type} cannot be exported, the source has none`)
  }
  return sourceTypes.filter((type) => named.includes(type))
}

function toDefaultTypes ({ level, sourceTypes, caller }: KickOffContext): string[] {
  const types = sourceTypes.filter((type) => (level === 'system' || isInCompartment(type)) && caller.types?.has(type) !== false)
  if (types.length === 0 && caller.types !== null) {
    throw new ServiceError('FORBIDDEN', 'The scopes of the bearer token cover none of the types that this export may hold')
  }
  return types
}

/** @throws ServiceError FORBIDDEN */
function assertPermitted (type: string, { caller }: KickOffContext): void {
  if (caller.types?.has(type) === false) throw new ServiceError('FORBIDDEN', `The scopes of the bearer token do not cover ${type}`)
  if (caller.role === 'PATIENT' && !isInCompartment(type)) {
    throw new ServiceError('FORBIDDEN', `${type} is outside of the Patient compartment, and a PATIENT exports the own data alone`)
  }
}

const latest = 'LatestProvenanceResources'
const relevant = 'RelevantProvenanceResources'

/** Bulk Data 3.0.0, Query Parameters (`includeAssociatedData`): of values that conflict the least restrictive one counts. */
export function selectAssociatedData (
  values: string[], { sourceTypes, lenience }: KickOffContext
): typeof latest | typeof relevant | undefined {
  for (const value of values) {
    if (value === latest || value === relevant) continue
    lenience.refuseUnlessLenient(`includeAssociatedData: ${quote(value)} is not supported; supported are ${latest}, ${relevant}`)
  }
  if (values.length > 0 && !sourceTypes.includes('Provenance')) {
    lenience.refuseUnlessLenient('includeAssociatedData: the source has no Provenance')
    return undefined
  }
  return ([relevant, latest] as const).find((value) => values.includes(value))
}

/** Associated Provenance comes although `_type` leaves it out. With nothing comes nothing. */
export function addProvenance (types: string[], context: KickOffContext): string[] {
  if (types.length === 0) return types
  assertPermitted('Provenance', context)
  return context.sourceTypes.filter((type) => type === 'Provenance' || types.includes(type))
}

/**
 * Associated Provenance that was asked for alone is about all other types. Provenance that a lenient request is left with, since the
 * other types were ignored, is about nothing: lenient never widens.
 */
export function dropLoneProvenance ({ types, askedTypes }: RequestedExport): string[] {
  const isProvenanceAlone = (types: string[]) => types.every((type) => type === 'Provenance')
  return isProvenanceAlone(types) && !isProvenanceAlone(askedTypes) ? [] : types
}
