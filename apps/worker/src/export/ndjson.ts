import { ServiceError } from '@fhir-bulk-export/core/errors'
import { createElementPicker, serializers, toIgnoredOutcome, toOperationOutcome, toRowIssue } from '@fhir-bulk-export/core/fhir'
import type { RowIssue, SerializerContext } from '@fhir-bulk-export/core/fhir'
import type { ExportedType } from '@fhir-bulk-export/core/source'
import type { OperationOutcome } from 'fhir/r4.js'
import { newline, readLines, toFields } from './copy-lines.ts'
import type { Lines } from './write-file.ts'

/** Bytes of a piece: large enough to cost little, small enough to hold several. */
const pieceBytes = 512 * 1024
/** A UTF-16 code unit never needs more in UTF-8. */
const bytesPerUnit = 3
/** Of one part. */
const maxWarnings = 10_000

/** Rows in COPY's text format to NDJSON, in pieces of whole lines. */
export interface Ndjson {
  /** `onRows` is told how many rows each step has dealt with. */
  fromRows: (type: ExportedType, columns: string[], chunks: AsyncIterable<Buffer>, onRows: (rows: number) => void) => AsyncGenerator<Lines>
  /** What could not be exported, or only with less than the row holds. */
  issues: RowIssue[]
}

/**
 * `elements`: what `_elements` leaves of the resources; none: all.
 * @throws ServiceError TOO_MANY_ROW_ERRORS (while iterating) once more than `maxRowErrors` rows cannot be exported.
 */
export function createNdjson (context: Omit<SerializerContext, 'warn'>, maxRowErrors: number, elements: string[] = []): Ndjson {
  const issues: RowIssue[] = []
  let rowErrors = 0
  let warnings = 0

  function note (issue: RowIssue): void {
    if (issue.severity === 'error' && ++rowErrors > maxRowErrors) throw tooManyErrors(maxRowErrors, issue)
    // Warnings must not fill the memory either. Their rows are exported; what is not listed here is the remark alone.
    if (issue.severity === 'error' || ++warnings <= maxWarnings) issues.push(issue)
  }

  async function * fromRows (type: ExportedType, columns: string[], chunks: AsyncIterable<Buffer>, onRows: (rows: number) => void) {
    const toResource = createSerializer(type, columns, elements, { ...context, warn: note }, note)
    // One buffer for all pieces: whoever takes one is done with it when the next is asked for (content-store.ts).
    const buffer = Buffer.allocUnsafe(pieceBytes)
    let size = 0
    let count = 0
    for await (const lines of readLines(chunks)) {
      for (const line of lines) {
        const json = toResource(line)
        if (json === undefined) continue
        const most = json.length * bytesPerUnit + 1
        if (size + most > pieceBytes && count > 0) {
          yield { bytes: buffer.subarray(0, size), count }
          size = 0
          count = 0
        }
        if (most > pieceBytes) {
          yield { bytes: Buffer.from(json + '\n'), count: 1 }
          continue
        }
        size += buffer.write(json, size)
        buffer[size++] = newline
        count++
      }
      onRows(lines.length)
    }
    if (count > 0) yield { bytes: buffer.subarray(0, size), count }
  }

  return { fromRows, issues }
}

/** The lines of the error files: an OperationOutcome for all that was ignored, and for every row that is missing or was exported with less than it holds. */
export async function * toErrorLines (ignored: string[], issues: RowIssue[]): AsyncGenerator<Lines> {
  if (ignored.length > 0) yield toLines(ignored.map(toIgnoredOutcome))
  for (let i = 0; i < issues.length; i += 1_000) yield toLines(issues.slice(i, i + 1_000).map(toOperationOutcome))
}

function toLines (outcomes: OperationOutcome[]): Lines {
  return { bytes: Buffer.from(outcomes.map((outcome) => JSON.stringify(outcome) + '\n').join('')), count: outcomes.length }
}

/** Over all readers; each of them has stopped by itself at that number. */
export function assertFewErrors (issues: RowIssue[], maxRowErrors: number): void {
  const errors = issues.filter(({ severity }) => severity === 'error')
  const last = errors.at(-1)
  if (errors.length > maxRowErrors && last !== undefined) throw tooManyErrors(maxRowErrors, last)
}

function tooManyErrors (maxRowErrors: number, { type, path, problem }: RowIssue): ServiceError {
  return new ServiceError('TOO_MANY_ROW_ERRORS', `More than ${maxRowErrors} rows cannot be exported, the last of them a ${type}: ${path} ${problem}`)
}

/** A line of COPY to a line of NDJSON; undefined for a row that cannot be exported. */
function createSerializer (type: ExportedType, columns: string[], elements: string[], context: SerializerContext, note: (issue: RowIssue) => void) {
  // The row's columns are those of `type`: sources.ts takes both from the same table.
  const toWhole = serializers[type] as (row: Record<string, string | null>, context: SerializerContext) => object
  const pick = createElementPicker(type, elements)
  const serialize: typeof toWhole = pick === undefined ? toWhole : (row, context) => pick(toWhole(row, context))
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
