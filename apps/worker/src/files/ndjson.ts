import { ServiceError } from '@fhir-bulk-export/core/errors'
import {
  isId, toIgnoredOutcome, toOperationOutcome, type Line, type LineWriter, type Row, type RowIssue, type SelectedColumn,
} from '@fhir-bulk-export/core/resources'
import type { OperationOutcome } from 'fhir/r4.js'
import { readRows, toText } from './rows.ts'
import type { LargeRows } from './large-rows.ts'
import type { Lines } from './write-file.ts'

/** Bytes of a piece: large enough to cost little, small enough to hold several. One line that is larger is a piece of its own. */
const pieceBytes = 512 * 1024
/** For the line that goes beyond a piece, and then begins the next one. */
const bufferBytes = pieceBytes + 64 * 1024
/** Of one part. */
const maxWarnings = 10_000
/** Rows between two reports of progress. */
const reportedRows = 2_000

/** Rows in COPY's binary format, as source/queries.ts asks for them, to NDJSON in pieces of whole lines. */
export interface Ndjson {
  /** `onRows` is told how many rows were dealt with since it was told last. */
  fromRows: (
    type: string, writer: LineWriter, chunks: AsyncIterable<Buffer>, onRows: (rows: number) => void, largeRows?: LargeRows
  ) => AsyncGenerator<Lines>
  /** What could not be exported, or only with less than the row holds. */
  issues: RowIssue[]
  /** Takes down an issue. */
  note: (issue: RowIssue) => void
}

/** @throws ServiceError TOO_MANY_ROW_ERRORS (while iterating) once more than `maxRowErrors` rows cannot be exported. */
export function createNdjson (maxRowErrors: number): Ndjson {
  const issues: RowIssue[] = []
  let rowErrors = 0
  let warnings = 0

  function note (issue: RowIssue): void {
    if (issue.severity === 'error' && ++rowErrors > maxRowErrors) throw tooManyErrors(maxRowErrors, describe(issue))
    // Warnings must not fill the memory either. Their rows are exported; what is not listed here is the remark alone.
    if (issue.severity === 'error' || ++warnings <= maxWarnings) issues.push(issue)
  }

  async function * fromRows (
    type: string, writer: LineWriter, chunks: AsyncIterable<Buffer>, onRows: (rows: number) => void, largeRows?: LargeRows
  ): AsyncGenerator<Lines> {
    const { columns } = writer
    const measured = columns.flatMap((column, i) => column.isMeasured ? [{ ...column, i }] : [])
    // One buffer for all pieces: whoever takes one is done with it when the next is asked for (content-store.ts).
    const line: Line = { bytes: Buffer.allocUnsafe(bufferBytes), size: 0 }
    let count = 0
    let unreported = 0
    for await (const rows of readRows(chunks, columns.length + measured.length, largeRows)) {
      while (rows.next()) {
        unreported++
        const before = line.size
        const issue = findWithheld(type, rows.row, columns.length, measured) ?? writer.write(rows.row, line)
        if (issue !== undefined) {
          note(issue)
          continue
        }
        if (line.size > pieceBytes && before > 0) {
          yield { bytes: line.bytes.subarray(0, before), count }
          line.bytes.copyWithin(0, before, line.size)
          line.size -= before
          count = 0
        }
        count++
        if (line.size > pieceBytes) {
          yield { bytes: line.bytes.subarray(0, line.size), count }
          line.size = 0
          count = 0
          if (line.bytes.length > 2 * bufferBytes) line.bytes = Buffer.allocUnsafe(bufferBytes)
        }
      }
      if (unreported >= reportedRows) {
        onRows(unreported)
        unreported = 0
      }
    }
    if (count > 0) yield { bytes: line.bytes.subarray(0, line.size), count }
    if (unreported > 0) onRows(unreported)
  }

  return { fromRows, issues, note }
}

/** A row of which a column was not read for its size: it is NULL, and what follows the columns says that it is there. */
function findWithheld (type: string, row: Row, columns: number, measured: Array<SelectedColumn & { i: number }>): RowIssue | undefined {
  for (let n = 0; n < measured.length; n++) {
    const { i, path } = measured[n]!
    if (row.starts[i] !== -1 || row.bytes[row.starts[columns + n]!] !== 1) continue
    const id = toText(row, 0)
    return { severity: 'error', type, id: isId(id) ? id : undefined, path, problem: 'is larger than EXPORT_MAX_ATTACHMENT_BYTES' }
  }
  return undefined
}

/**
 * The lines of the error files: an OperationOutcome for all that was ignored, and for every row that is missing or was exported with less
 * than it holds.
 */
export async function * toErrorLines (ignored: string[], issues: RowIssue[], publicUrl: string): AsyncGenerator<Lines> {
  if (ignored.length > 0) yield toLines(ignored.map((sentence) => toIgnoredOutcome(sentence, publicUrl)))
  for (let i = 0; i < issues.length; i += 1_000) {
    yield toLines(issues.slice(i, i + 1_000).map((issue) => toOperationOutcome(issue, publicUrl)))
  }
}

function toLines (outcomes: OperationOutcome[]): Lines {
  return { bytes: Buffer.from(outcomes.map((outcome) => JSON.stringify(outcome) + '\n').join('')), count: outcomes.length }
}

/** Rows that could not be exported, and the last of them, without its id. */
export interface RowErrors { rowErrors: number, lastRowError: string | undefined }

export function toRowErrors (issues: RowIssue[]): RowErrors {
  const errors = issues.filter(({ severity }) => severity === 'error')
  const last = errors.at(-1)
  return { rowErrors: errors.length, lastRowError: last === undefined ? undefined : describe(last) }
}

/** Over all readers; each of them has stopped by itself at that number. */
export function assertFewErrors (results: RowErrors[], maxRowErrors: number): void {
  const last = results.findLast(({ rowErrors }) => rowErrors > 0)?.lastRowError
  const all = results.reduce((sum, { rowErrors }) => sum + rowErrors, 0)
  if (last !== undefined && all > maxRowErrors) throw tooManyErrors(maxRowErrors, last)
}

function tooManyErrors (maxRowErrors: number, last: string): ServiceError {
  return new ServiceError('TOO_MANY_ROW_ERRORS', `More than ${maxRowErrors} rows cannot be exported, the last of them a ${last}`)
}

function describe ({ type, path, problem }: RowIssue): string {
  return `${type}: ${path} ${problem}`
}
