import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ParameterName } from './given.ts'
import { assertFewMembers } from './limits.ts'
import type { ListName } from './limits.ts'

/** The value of a parameter that may be given once. */
export function toSingle (name: ParameterName, values: string[]): string | undefined {
  if (values.length > 1) throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} may be given once only`)
  return values.map((value) => refuseEmpty(name, value))[0]
}

/** Comma-separated, repeated or both: one list, without duplicates and the blanks around its members. */
export function toList (name: ListName, values: string[], split = (value: string) => value.split(',')): string[] {
  const members = [...new Set(values.flatMap((value) => split(value)).map((member) => member.trim()))]
  assertFewMembers(name, members.length)
  return members.map((value) => refuseEmpty(name, value))
}

function refuseEmpty (name: string, value: string): string {
  if (value === '') throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} has an empty value`)
  return value
}
