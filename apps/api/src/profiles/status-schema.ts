import { exportStatuses, manifestSchema } from '@fhir-bulk-export/core/exports'
import { Type, type Static } from '@sinclair/typebox'
import { fhirJson, outcomeSchema } from '../errors/outcome.ts'
import { toAnswer } from '../openapi/answer.ts'
import { expires, retryAfter, xExportStatus, xProgress } from '../openapi/headers.ts'
import { stringEnum } from '../openapi/string-enum.ts'

const progressSchema = Type.Object({
  status: stringEnum(exportStatuses),
  progress: Type.Integer({ description: 'Percent' }),
  totalResources: Type.Integer({ description: '0 until they are counted' }),
  /** Why it failed. */
  error: Type.Optional(outcomeSchema),
}, { title: 'Progress' })
export type Progress = Static<typeof progressSchema>

const whileRunning = { 'Retry-After': retryAfter, 'X-Progress': xProgress }
const done = toAnswer(
  'The manifest; in the profiles that say it so, progress while the export runs and after it failed or was cancelled, or why it failed',
  'application/json',
  Type.Union([manifestSchema, progressSchema]),
  { ...whileRunning, Expires: expires, 'X-Export-Status': xExportStatus }
)

export const statusResponse = {
  200: { ...done, content: { ...done.content, [fhirJson]: { schema: outcomeSchema } } },
  202: toAnswer('In progress (respond-async)', 'application/json', progressSchema, whileRunning),
}
