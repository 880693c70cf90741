import type { ExportLevel, ExportParameters } from '@fhir-bulk-export/core/exports'
import type { Caller } from '../auth/caller.ts'
import type { Lenience } from './lenience.ts'

/** What a kick-off asks for: `types` and `parameters` go into the export's columns of these names. */
export interface RequestedExport {
  types: string[]
  parameters: ExportParameters
  /** As `_type` names them, exportable or not; without `_type` those of its default. */
  askedTypes: string[]
}

export interface KickOffContext {
  level: ExportLevel
  /** In the order of an export's files. */
  sourceTypes: readonly string[]
  caller: Pick<Caller, 'role' | 'types' | 'patientId'>
  publicUrl: string
  now: Date
  lenience: Lenience
}

export interface KickOffParameter {
  /** Elements of a Parameters resource that may hold the value (Bulk Data 3.0.0, Query Parameters). */
  valueElements: readonly string[]
  /** For OpenAPI. */
  description: string
  isForBodyAlone?: true
  /** `max`: members, duplicates not counted. `split` is at commas by default. A parameter without `list` may be given once. */
  list?: { max: number, split?: (value: string, context: KickOffContext) => string[] }
  /** Called for every kick-off, with `[]` where the parameter is not given. Members are trimmed, distinct and not empty. */
  apply: (members: string[], requested: RequestedExport, context: KickOffContext) => void
}
