import type { LineContext } from './line-context.ts'
import type { RowIssue } from './row-issue.ts'
import type { SourceRelation } from '../source/catalog.ts'

/** A row in COPY's binary format: each column's bytes lie in `bytes` from `starts` to `ends`; a start of -1 is NULL. */
export interface Row { bytes: Buffer, starts: Int32Array, ends: Int32Array }

/** NDJSON as it grows. The writer takes a larger buffer where it needs one. */
export interface Line { bytes: Buffer, size: number }

export interface LineWriter {
  /** What a row has to hold, in this order: SQL over the relation as `r`. */
  columns: readonly string[]
  /** Appends the row's resource and a line end. Of a row that cannot be exported nothing is appended. */
  write: (row: Row, line: Line) => RowIssue | undefined
}

export type CreateLineWriter = (relation: SourceRelation, context: LineContext, warn: (issue: RowIssue) => void) => LineWriter
