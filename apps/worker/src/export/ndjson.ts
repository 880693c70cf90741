import { ServiceError } from '@fhir-bulk-export/core/errors'
import { serializers, toOperationOutcome, toRowIssue } from '@fhir-bulk-export/core/fhir'
import type { RowIssue, SerializerContext } from '@fhir-bulk-export/core/fhir'
import type { ExportedType } from '@fhir-bulk-export/core/source'
import { readLines, toFields } from './copy-lines.ts'
import type { Lines } from './write-file.ts'

/** Characters after which a piece is passed on: large enough to cost little per piece, small enough to hold many. */
const pieceLength = 256 * 1024

/** Rows in COPY's text format to NDJSON, in pieces of whole lines. What cannot be exported becomes a line of the error files. */
export interface Ndjson {
  /** `onRows` is told how many rows each step has dealt with. */
  fromRows: (type: ExportedType, columns: string[], chunks: AsyncIterable<Buffer>, onRows: (rows: number) => void) => AsyncGenerator<Lines>
  /** An OperationOutcome a line, for every row that is missing or was exported with less than it holds. */
  problems: () => AsyncGenerator<Lines>
}

/** @throws ServiceError TOO_MANY_ROW_ERRORS (while iterating) once more than `maxRowErrors` rows cannot be exported. */
export function createNdjson (context: Omit<SerializerContext, 'warn'>, maxRowErrors: number): Ndjson {
  const issues: RowIssue[] = []
  let rowErrors = 0

  function note (issue: RowIssue): void {
    if (issue.severity === 'error' && ++rowErrors > maxRowErrors) {
      throw new ServiceError('TOO_MANY_ROW_ERRORS', `More than ${maxRowErrors} rows cannot be exported, the last of them a ${issue.type}: ${issue.path} ${issue.problem}`)
    }
    // Warnings alone must not fill the memory either: what is beyond the limit is left out, its rows are exported.
    if (issues.length < 2 * maxRowErrors) issues.push(issue)
  }

  async function * fromRows (type: ExportedType, columns: string[], chunks: AsyncIterable<Buffer>, onRows: (rows: number) => void) {
    const toResource = createSerializer(type, columns, { ...context, warn: note }, note)
    let text = ''
    let count = 0
    for await (const lines of readLines(chunks)) {
      for (const line of lines) {
        const json = toResource(line)
        if (json === undefined) continue
        text += json + '\n'
        count++
        if (text.length >= pieceLength) {
          yield { bytes: Buffer.from(text), count }
          text = ''
          count = 0
        }
      }
      onRows(lines.length)
    }
    if (count > 0) yield { bytes: Buffer.from(text), count }
  }

  async function * problems () {
    for (let i = 0; i < issues.length; i += 1_000) {
      const lines = issues.slice(i, i + 1_000).map((issue) => JSON.stringify(toOperationOutcome(issue)) + '\n')
      yield { bytes: Buffer.from(lines.join('')), count: lines.length }
    }
  }

  return { fromRows, problems }
}

/** A line of COPY to a line of NDJSON; undefined for a row that cannot be exported. */
function createSerializer (type: ExportedType, columns: string[], context: SerializerContext, note: (issue: RowIssue) => void) {
  // The row's columns are those of `type`: sources.ts takes both from the same table.
  const serialize = serializers[type] as (row: Record<string, string | null>, context: SerializerContext) => unknown
  return function toResource (line: string): string | undefined {
    const [isWithheld, ...values] = toFields(line)
    const row: Record<string, string | null> = {}
    for (let i = 0; i < columns.length; i++) row[columns[i] as string] = values[i] ?? null
    try {
      if (isWithheld === 't') {
        note({ severity: 'error', type, id: row.id ?? undefined, path: type === 'Consent' ? 'sourceAttachment' : 'content', problem: 'is larger than EXPORT_MAX_ATTACHMENT_BYTES' })
        return undefined
      }
      return JSON.stringify(serialize(row, context))
    } catch (error) {
      const issue = toRowIssue(error, type, row.id ?? null)
      if (issue === undefined) throw error
      note(issue)
      return undefined
    }
  }
}
