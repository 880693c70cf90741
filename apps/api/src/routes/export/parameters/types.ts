import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ExportLevel } from '@fhir-bulk-export/core/exports'
import { isResourceType } from '@fhir-bulk-export/core/r4'
import { isInCompartment } from '@fhir-bulk-export/core/resources'
import type { Caller } from '../../../auth/caller.ts'
import { quote } from '../../../http/quote.ts'
import type { Refusal } from './refusal.ts'
import { toList } from './values.ts'

export interface TypeContext {
  level: ExportLevel
  /** The types that the source has, in the order of an export's files. */
  sourceTypes: readonly string[]
  caller: Pick<Caller, 'role' | 'types'>
}

/**
 * In the order of an export's files. Without `_type`: at system level all types, at the others those of the Patient compartment.
 * Bulk Data 3.0.0, Query Parameters (`_type`): a type outside of the token's scopes is an error if it was asked for; without `_type`
 * the scopes limit the export. An emptied list stays empty: lenient never widens.
 * @throws ServiceError FORBIDDEN; UNSUPPORTED_PARAMETER
 */
export function parseTypes (values: string[], context: TypeContext, { refuse }: Refusal): string[] {
  const { sourceTypes } = context
  if (values.length === 0) return toDefault(context)
  const asked = new Set(toList('_type', values))
  for (const type of asked) {
    if (!isResourceType(type)) refuse(`_type: ${quote(type)} is no resource type of FHIR R4`)
    else {
      assertPermitted(type, context)
      if (!sourceTypes.includes(type)) refuse(`_type: ${type} cannot be exported, the source has none`)
    }
  }
  return sourceTypes.filter((type) => asked.has(type))
}

function toDefault ({ level, sourceTypes, caller }: TypeContext): string[] {
  const types = sourceTypes.filter((type) => (level === 'system' || isInCompartment(type)) && caller.types?.has(type) !== false)
  if (types.length === 0 && caller.types !== null) throw new ServiceError('FORBIDDEN', 'The scopes of the bearer token cover none of the types that this export may hold')
  return types
}

/** @throws ServiceError FORBIDDEN */
export function assertPermitted (type: string, { caller }: TypeContext): void {
  if (caller.types?.has(type) === false) throw new ServiceError('FORBIDDEN', `The scopes of the bearer token do not cover ${type}`)
  if (caller.role === 'PATIENT' && !isInCompartment(type)) {
    throw new ServiceError('FORBIDDEN', `${type} is outside of the Patient compartment, and a PATIENT exports the own data alone`)
  }
}
