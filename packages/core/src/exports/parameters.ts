import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { ServiceError } from '../errors.ts'

const list = Type.Optional(Type.Array(Type.String()))
/** A FHIR instant in UTC, with six digits of a second. */
const instant = Type.Optional(Type.String())

/**
 * The kick-off parameters that limit an export, as the column `parameters` keeps them: by their names, checked and absent where they
 * were not given. (`_type` became the column `types`.)
 */
const exportParameters = Type.Object({
  _since: instant,
  _until: instant,
  /** Each `element` or `Type.element`. */
  _elements: list,
  /** Each `Type?parameter=value&…`. */
  _typeFilter: list,
  includeAssociatedData: list,
  /** Ids. Only these patients' compartments, among those that the export may hold; an empty list: none. */
  patient: list,
}, { additionalProperties: false })

export type ExportParameters = Static<typeof exportParameters>

/**
 * @throws ServiceError SCHEMA_MISMATCH for a parameter that this version does not know: an export that ignored it would hold more than
 * was asked for. Another attempt may be of a newer version.
 */
export function readStoredParameters (stored: unknown): ExportParameters {
  if (Value.Check(exportParameters, stored)) return stored
  throw new ServiceError('SCHEMA_MISMATCH', 'The export has a parameter that this version of the worker does not know')
}
