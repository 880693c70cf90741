import { ElementError } from './element-error.ts'
import { createMemo, type Memo } from './memo.ts'
import { readAt, type Elements, type Reader, type Scope } from './reading.ts'
import { relations, type Column, type ColumnType, type Relation, type SourceRow } from '../source/relations.ts'

/** Elements of T that stand in columns of their own: element → [column, reader]. */
export type ColumnsOf<T, R extends Relation> = { [K in keyof T]?: readonly [Column<R>, Reader<NonNullable<T[K]>>] }

/** One table, read in both directions: rows become elements for an export, elements become rows for the loader. */
export interface Columns<T, R extends Relation> {
  readonly elements: Partial<Elements<T>>
  /** Sets what the row has in the target, and gives that back; an absent element stays an absent key. Throws ElementError. */
  toElements (row: SourceRow<R>, target: Partial<T>, scope: Scope): Partial<T>
  /** Sets the columns of every element, absent ones to null. */
  toColumns (source: Partial<T>, row: Partial<SourceRow<R>>): void
}

interface Cell {
  readonly element: string
  readonly column: string
  readonly read: Reader<unknown>
  readonly isJson: boolean
  readonly parse: (text: string, element: string) => unknown
  readonly format: (value: unknown) => string
}

export function columnsOf<T extends object, R extends Relation> (relation: R, table: ColumnsOf<T, R>): Columns<T, R> {
  const types: Record<string, ColumnType> = relations[relation]
  const cells = Object.entries(table as Record<string, [string, Reader<unknown>]>).map(function toCell ([element, [column, read]]): Cell {
    const type = types[column] ?? 'text'
    return { element, column, read, isJson: type === 'jsonb', parse: parsers[type], format: type === 'jsonb' ? JSON.stringify : formatScalar }
  })

  return {
    elements: Object.fromEntries(cells.map(cell => [cell.element, cell.read])) as Partial<Elements<T>>,

    toElements (row, target, scope) {
      const texts: Record<string, string | null> = row
      const elements = target as Record<string, unknown>
      for (const cell of cells) {
        const { element, column, read, parse, isJson } = cell
        const text = texts[column]
        if (text === null || text === undefined) continue
        const value = isJson ? readJson(cell, text, scope) : readAt(element, parse(text, element), read, scope)
        if (value !== undefined) elements[element] = value
      }
      return target
    },

    toColumns (source, row) {
      const elements = source as Record<string, unknown>
      const texts = row as Record<string, string | null>
      for (const { element, column, format } of cells) {
        const value = elements[element]
        texts[column] = value === undefined ? null : format(value)
      }
    },
  }
}

/** What was noted while reading belongs to its row, so such a value is not kept for others. */
function readJson (cell: Cell, text: string, scope: Scope): unknown {
  const memo = scope.memos?.get(cell) ?? addMemo(cell, scope)
  const known = memo?.find(text)
  if (known !== undefined) return known
  const notes = scope.notes.length
  const value = readAt(cell.element, cell.parse(text, cell.element), cell.read, scope)
  if (value !== undefined && scope.notes.length === notes) memo?.keep(text, value)
  return value
}

function addMemo (cell: Cell, { memos }: Scope): Memo | undefined {
  const memo = createMemo()
  memos?.set(cell, memo)
  return memos === undefined ? undefined : memo
}

const asText = (text: string): unknown => text

/** From PostgreSQL's text form to what FHIR's JSON has in its place. */
const parsers: Record<ColumnType, (text: string, element: string) => unknown> = {
  text: asText,
  date: asText,
  dateTime: asText,
  timestamptz: asText,
  integer: Number,
  boolean: text => text === 't' ? true : text === 'f' ? false : text,
  jsonb: parseJson,
}

/** The parser's own message would quote the text. */
function parseJson (text: string, element: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ElementError('must be JSON', element)
  }
}

function formatScalar (value: unknown): string {
  return value === true ? 't' : value === false ? 'f' : String(value)
}
