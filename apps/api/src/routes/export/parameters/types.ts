import { ServiceError } from '@fhir-bulk-export/core/errors'
import { exportedTypes } from '@fhir-bulk-export/core/source'
import type { ExportedType } from '@fhir-bulk-export/core/source'
import type { Caller } from '../../../auth/caller.ts'
import { quote } from '../../../http/quote.ts'
import type { Refusal } from './refusal.ts'
import { toList } from './values.ts'

/** The types that a token's scopes cover, at least one; null: all. */
export type PermittedTypes = Caller['types']

/**
 * In the order of an export's files. Bulk Data 3.0.0, Query Parameters (`_type`): a type outside of the token's scopes is an
 * error if it was asked for; without `_type` the scopes limit the export. An emptied list stays empty: lenient never widens.
 */
export function parseTypes (values: string[], permitted: PermittedTypes, { refuse }: Refusal): ExportedType[] {
  if (values.length === 0) return exportedTypes.filter((type) => permitted?.has(type) !== false)
  const asked = new Set(toList('_type', values))
  for (const type of asked) {
    if (!exportedTypes.some((known) => known === type)) {
      refuse(`_type: ${quote(type)} cannot be exported; supported are ${exportedTypes.join(', ')}`)
    }
  }
  const types = exportedTypes.filter((type) => asked.has(type))
  for (const type of types) assertPermitted(type, permitted)
  return types
}

/** @throws ServiceError FORBIDDEN */
export function assertPermitted (type: ExportedType, permitted: PermittedTypes): void {
  if (permitted?.has(type) === false) throw new ServiceError('FORBIDDEN', `The scopes of the bearer token do not cover ${type}`)
}
