import { exportLevels, exportStatuses, roles } from '@fhir-bulk-export/core/exports'
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { stringEnum } from '../../openapi/string-enum.ts'

/* What an operator is told. Nothing in here names a patient: no id, no parameter of a caller but the types, no address. */

const instant = Type.String({ format: 'date-time' })
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const count = Type.Integer({ minimum: 0 })

const exportSchema = Type.Object({
  id: Type.String(),
  status: stringEnum(exportStatuses),
  isDropped: Type.Boolean({ description: 'Its files are gone, or go' }),
  isRunning: Type.Boolean({ description: 'A worker has it' }),
  level: stringEnum(exportLevels),
  types: Type.Array(Type.String()),
  role: stringEnum(roles),
  client: nullable(Type.String({ description: '`client_id` of the token' })),
  user: nullable(Type.String({ description: '`sub` of an ADMIN\'s token; never of a PATIENT\'s' })),
  created: instant,
  started: nullable(instant),
  ended: nullable(instant),
  attempt: count,
  failures: count,
  progress: Type.Integer({ description: 'Percent' }),
  exportedResources: count,
  totalResources: Type.Integer({ description: '0 until they are counted' }),
  files: count,
  bytes: Type.Integer({ description: 'Of the files that are kept now' }),
  reason: nullable(Type.String({ description: 'Why it failed, or its last attempt did' })),
}, { title: 'OperatorExport' })
export type OperatorExport = Static<typeof exportSchema>

export const exportsSchema = Type.Object({
  now: instant,
  exports: Type.Array(exportSchema, { description: 'The newest first' }),
  next: nullable(Type.String({ description: '`after` of the next page' })),
}, { title: 'OperatorExports' })

export const summarySchema = Type.Object({
  now: instant,
  exports: Type.Object(Object.fromEntries(exportStatuses.map((status) => [status, count])), {
    description: 'How many there are in each status',
  }),
  waiting: Type.Object({ count, seconds: nullable(Type.Integer({ description: 'For how long the first of them has waited' })) }, {
    description: 'Exports that a worker could take now',
  }),
  workers: Type.Array(Type.Object({
    id: Type.String(), host: Type.String(), started: instant, seen: instant, running: Type.Array(Type.String()),
  }), { description: 'Those that were seen lately, with the exports that they run' }),
  kept: Type.Object({ files: count, bytes: count }, { description: 'Files of exports' }),
  disk: nullable(Type.Object({ used: count, capacity: count }, { description: 'Of the content store, in bytes. Null: it did not say' })),
  hours: Type.Array(Type.Object({
    hour: instant, requested: count, completed: count, failed: count, cancelled: count, downloads: count, bytes: count,
  }), { description: 'What happened in the last 24 hours; `bytes` of downloads' }),
}, { title: 'OperatorSummary' })
export type OperatorSummary = Static<typeof summarySchema>
