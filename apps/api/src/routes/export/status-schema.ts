import { exportStatuses } from '@fhir-bulk-export/core/exports'
import { Type } from '@sinclair/typebox'
import type { TSchema } from '@sinclair/typebox'

/** What is sent, for the documentation: it is not validated. */
const progress = Type.Object({
  status: Type.Union(exportStatuses.map((status) => Type.Literal(status))),
  progress: Type.Integer({ description: 'Percent' }),
  totalResources: Type.Integer({ description: '0 until they are counted' }),
  error: Type.Optional(Type.Object({ resourceType: Type.Literal('OperationOutcome') }, { additionalProperties: true })),
})

const items = (description: string) => Type.Array(Type.Object({
  type: Type.String(),
  url: Type.String(),
  count: Type.Integer({ minimum: 1 }),
  extension: Type.Object({
    cid: Type.Optional(Type.String()),
    url: Type.Optional(Type.String()),
    gateway: Type.Optional(Type.String()),
    sha256: Type.String(),
    fileSize: Type.Integer({ minimum: 1 }),
    encryption: Type.Optional(Type.Object({ scheme: Type.String(), keyId: Type.String() })),
  }),
}), { description })

const manifest = Type.Object({
  transactionTime: Type.String({ format: 'date-time' }),
  request: Type.String(),
  requiresAccessToken: Type.Literal(true),
  output: items('Files of exported resources'),
  deleted: items('With _since: files of transaction Bundles, of what was deleted'),
  error: items('Files of OperationOutcomes'),
})

export const statusResponse: Record<number, TSchema> = {
  200: Type.Union([manifest, progress], { description: 'The manifest; while the export runs, and after it failed or was cancelled, in the profiles that say it so, its progress' }),
  202: { ...progress, description: 'In progress (respond-async)' },
}
