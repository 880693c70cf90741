import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ParameterName } from './given.ts'

/** Query and body together. */
const maxParameters = 6_000

/** Members at most, duplicates not counted. apps/api/README.md has the same figures; what is in a filter has limits of its own (core/search). */
const maxMembers = { _type: 200, _elements: 500, _typeFilter: 50, includeAssociatedData: 10, patient: 5_000 } as const satisfies Partial<Record<ParameterName, number>>
export type ListName = keyof typeof maxMembers

/** @throws ServiceError INVALID_PARAMETER, also for a lenient request. */
export function assertFewMembers (name: ListName, count: number): void {
  if (count > maxMembers[name]) throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} has ${count} members: at most ${maxMembers[name]} are accepted`)
}

/** @throws ServiceError INVALID_PARAMETER */
export function assertFewParameters (count: number): void {
  if (count > maxParameters) throw new ServiceError('INVALID_PARAMETER', `The request has ${count} parameters: at most ${maxParameters} are accepted`)
}
