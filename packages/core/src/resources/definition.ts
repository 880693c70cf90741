import type { LineContext } from './line-context.ts'

/** Texts of a row's columns: a JSON column's text is JSON; undefined is NULL or no such column. */
export type Texts<C extends string = string> = { readonly [K in C]?: string | undefined }

/**
 * All that is special about a resource type: its relation, the columns that stand beside or instead of `resource`, and defaults.
 * A type without columns of its own needs none: see registry.ts.
 */
export interface Definition {
  readonly type: string
  readonly relation: string
  /** Column → element that it lies over, by its path from the resource. Of columns for one choice (`value[x]`) the last one wins. */
  readonly over: Readonly<Record<string, string>>
  /** Further columns, which are not an element as they stand: what PostgreSQL may have in them. */
  readonly other: Readonly<Record<string, 'text' | 'json'>>
  /** Columns that only SQL can make of a row `r`: column → expression. */
  readonly computed: Readonly<Record<string, string>>
  /** Of the columns that hold attachments: their urls are exported under ATTACHMENT_BASE_URLS alone, and their size has a limit. */
  readonly attachments: readonly string[]
  /** A column's spelling → R4's. */
  readonly spellings: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** List → JSON of an item that comes at its end; undefined: none. `items` is the JSON of those that are there. */
  readonly append: Readonly<Record<string, (row: Texts, items: string | undefined, context: LineContext) => string | undefined>>
  /** Root element → JSON that stands for it where neither `resource` nor a column has it; undefined: nothing. */
  readonly defaults: Readonly<Record<string, (row: Texts, has: (element: string) => boolean) => string | undefined>>
}

type Special = Partial<Omit<Definition, 'type' | 'relation'>>

export function define (type: string, relation: string, special: Special = {}): Definition {
  return { type, relation, over: {}, other: {}, computed: {}, attachments: [], spellings: {}, append: {}, defaults: {}, ...special }
}
