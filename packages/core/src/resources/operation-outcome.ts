import type { OperationOutcome } from 'fhir/r4.js'
import { toErrorDetails } from '../error-codes.ts'
import type { RowIssue } from './row-issue.ts'

/** A line of an error file: names the row and the element, never what stands there. */
export function toOperationOutcome ({ severity, type, id, path, problem }: RowIssue, publicUrl: string): OperationOutcome {
  const row = id === undefined ? `A row of ${type} without a usable id` : `${type}/${id}`
  const expression = path === '' ? type : `${type}.${path}`
  return {
    resourceType: 'OperationOutcome',
    issue: [{
      severity,
      code: severity === 'error' ? 'invalid' : 'incomplete',
      details: toErrorDetails(severity === 'error' ? 'resource-left-out' : 'resource-incomplete', publicUrl),
      diagnostics: `${row}: ${expression} ${problem}`,
      expression: [expression],
    }],
  }
}

/** A line of an error file for what a lenient kick-off ignored (Bulk Data 3.0.0, Bulk Data Kick-off Request: handling=lenient). */
export function toIgnoredOutcome (sentence: string, publicUrl: string): OperationOutcome {
  const details = toErrorDetails('parameter-ignored', publicUrl)
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-supported', details, diagnostics: sentence }] }
}
