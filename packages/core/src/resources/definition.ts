import type { LineContext } from './line-context.ts'

/** Texts of a row's columns: a JSON column's text is JSON; undefined is NULL, or that there is no such column. */
export type Texts = Readonly<Record<string, string | undefined>>

/** JSON of an element, as far as it is written; undefined: it is not there. */
export type Written = (element: string) => string | undefined

/**
 * All that is special about a resource type: its relation, the columns that stand beside or instead of `resource`, and defaults.
 * A type without columns of its own needs none: see registry.ts.
 */
export interface Definition {
  readonly type: string
  readonly relation: string
  /** Column → element that it lies over, by its path from the resource. */
  readonly over: Readonly<Record<string, string>>
  /** Columns that are left out where another one has a value for the same choice (`value[x]`). */
  readonly givesWay: readonly string[]
  /** Further columns, which are not an element as they stand: what PostgreSQL may have in them. */
  readonly other: Readonly<Record<string, 'text' | 'json'>>
  /**
   * What only SQL can make of a row `r`: a name for it → an expression that gives text. `members`: SQL of a table of the groups' members.
   */
  readonly computed: Readonly<Record<string, (members: string) => string>>
  /** Of the columns that hold attachments: their urls are exported under ATTACHMENT_BASE_URLS alone, and their size has a limit. */
  readonly attachments: readonly string[]
  /** A column's spelling → R4's. */
  readonly spellings: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Path of a list → JSON of an item that a column puts at its end; undefined: none. `items` gives the JSON of those that are there. */
  readonly append: Readonly<Record<string, {
    /** Without any of these columns there is no item. */
    readonly from: readonly string[]
    readonly toItem: (row: Texts, items: () => string | undefined, context: LineContext) => string | undefined
    /** The same in SQL, jsonb or NULL, for searches that may ask for it; MRN_SYSTEM is given as SQL. */
    readonly toSql?: (mrnSystem: string) => string
  }>>
  /** Root element → JSON that a column has for it where there is no such element; undefined: none. */
  readonly fill: Readonly<Record<string, (row: Texts, written: Written) => string | undefined>>
  /** Root element → what stands for it in rows without `resource` where no column has it: `resource` is whole as it is. */
  readonly defaults: Readonly<Record<string, Default>>
}

/**
 * JSON of an element, undefined for none; and the same for searches, SQL over the row `r` for jsonb or NULL: of what is computed, that is
 * known.
 */
export interface Default {
  readonly toJson: (row: Texts) => string | undefined
  readonly sql?: string
  /** The same as texts that stand around an id: `column` has it, if there is one. */
  readonly around?: { before: string, column?: string, after?: string }
}

/** A default that is the same for all rows. */
export function constant (json: string): Default {
  return { toJson: () => json, sql: `'${json}'::jsonb`, around: { before: json } }
}

type Special = Partial<Omit<Definition, 'type' | 'relation'>>

export function define (type: string, relation: string, special: Special = {}): Definition {
  return {
    type, relation, over: {}, givesWay: [], other: {}, computed: {}, attachments: [], spellings: {}, append: {}, fill: {},
    defaults: {}, ...special
  }
}
