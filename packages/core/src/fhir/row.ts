import type { Period } from 'fhir/r4.js'
import { period } from './datatypes.ts'
import { ElementError } from './element-error.ts'
import type { Memo } from './memo.ts'
import { instant } from './primitives.ts'
import { readAt, type Scope } from './reading.ts'
import type { ExportedType } from '../source/relations.ts'

interface Exported { resourceType: ExportedType, id?: string | undefined }

/** What a serializer knows besides its row; one per attempt. */
export interface SerializerContext {
  /** Identifier.system of the bare `mrn` column. */
  readonly mrnSystem: string | undefined
  /** Attachment urls are exported only under these. */
  readonly attachmentBaseUrls: readonly string[]
  /** The time of the snapshot: decides which consents are past their period. */
  readonly asOf: Date
  /** Called for each thing left out of a resource that is exported. */
  warn (issue: RowIssue): void
}

/** Something wrong with a row: where, never what it holds. */
export interface RowIssue {
  readonly severity: 'error' | 'warning'
  readonly type: ExportedType
  /** undefined where the row has no usable id */
  readonly id: string | undefined
  /** From the resource to the element: `name[0].family` */
  readonly path: string
  readonly problem: string
}

const idPattern = /^[A-Za-z0-9.-]{1,64}$/

export function isId (value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value)
}

export function readId (text: string | null, element: string): string {
  if (!isId(text)) throw new ElementError('must be 1 to 64 letters, digits, "-" and "."', element)
  return text
}

/** `Patient/<patient_id>`, which every row but a patient's own has. */
export function readPatient (patientId: string | null, element: string): { reference: string } {
  if (patientId === null || patientId === '') throw new ElementError('is required', element)
  return { reference: `Patient/${readId(patientId, `${element}.reference`)}` }
}

export function readMeta (updatedAt: string | null, scope: Scope): { lastUpdated: string } {
  const lastUpdated = readAt('meta.lastUpdated', updatedAt, instant, scope)
  if (lastUpdated === undefined) throw new ElementError('is required', 'meta.lastUpdated')
  return { lastUpdated }
}

/** The two columns of a Period. */
export function readPeriod (start: string | null, end: string | null, element: string, scope: Scope): Period | undefined {
  return start === null && end === null ? undefined : readAt(element, { start, end }, period, scope)
}

const memosOf = new WeakMap<SerializerContext, Map<object, Memo>>()

export function toScope (context: SerializerContext): Scope {
  let memos = memosOf.get(context)
  if (memos === undefined) memosOf.set(context, memos = new Map())
  return { purpose: 'export', attachmentBaseUrls: context.attachmentBaseUrls, notes: [], memos, depth: 0 }
}

/** The end of every serializer: nothing required is missing, and the export is told what was left out. */
export function finish<T extends Exported> (
  resource: Partial<T>, required: ReadonlyArray<keyof T & string>, scope: Scope, context: SerializerContext
): T {
  for (const element of required) {
    if (resource[element] === undefined) throw new ElementError('is required', element)
  }
  const whole = resource as T
  for (const { path, remark } of scope.notes) {
    context.warn({ severity: 'warning', type: whole.resourceType, id: whole.id, path, problem: remark })
  }
  return whole
}

/** What a serializer threw, for the error file; undefined if it is not about the row. */
export function toRowIssue (error: unknown, type: ExportedType, id: string | null): RowIssue | undefined {
  if (!(error instanceof ElementError)) return undefined
  return { severity: 'error', type, id: isId(id) ? id : undefined, path: error.path, problem: error.problem }
}
