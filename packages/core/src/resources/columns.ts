import { copied, type Cursor, type ElementNode, type Status } from '../r4/index.ts'
import type { ColumnForm, SourceRelation } from '../source/catalog.ts'
import type { Definition, Texts } from './definition.ts'
import type { Row } from './row.ts'
import { toInstant } from './timestamp.ts'

/** A column as it is asked for: SQL over the relation as `r`. */
export interface SelectedColumn {
  sql: string
  /** May hold a file's content, so its size has a limit. */
  isMeasured: boolean
  /** Of the element that it lies over, or that only SQL can make; '' for all else. */
  path: string
}

/** The columns of a relation that its lines are made of, and the row that they are read from. */
export class Columns {
  readonly selected: SelectedColumn[] = []
  /** Of every column that is there, and of what only SQL can make, the text: undefined for NULL. */
  readonly texts: Texts
  row: Row = { bytes: Buffer.alloc(0), starts: new Int32Array(0), ends: new Int32Array(0) }
  readonly #indexes = new Map<string, number>()
  readonly #forms: ColumnForm[] = []
  readonly #spellings: Definition['spellings']

  constructor ({ columns, liveMembers }: SourceRelation, { over, other, computed, attachments, spellings }: Definition) {
    this.#spellings = spellings
    const texts: Record<string, string | undefined> = {}
    const add = (name: string, form: ColumnForm, sql: string, isMeasured = false) => {
      const index = this.selected.push({ sql, isMeasured, path: over[name] ?? (name in computed ? name : '') }) - 1
      this.#indexes.set(name, index)
      this.#forms.push(form)
      Object.defineProperty(texts, name, { get: () => this.#text(index) })
    }
    for (const name of ['id', 'updated_at', 'patient_id', 'resource', ...Object.keys(over), ...Object.keys(other)]) {
      const form = columns[name]
      if (form !== undefined) add(name, form, form === 'other' ? `r.${name}::text` : `r.${name}`, name === 'resource' || attachments.includes(name))
    }
    if (liveMembers !== undefined) for (const [name, toSql] of Object.entries(computed)) add(name, 'text', toSql(liveMembers))
    this.texts = texts
  }

  has (name: string): boolean {
    const index = this.#indexes.get(name)
    return index !== undefined && this.row.starts[index]! >= 0
  }

  /** Points the cursor to a column's JSON. Of a NULL: undefined. */
  open (name: string, cursor: Cursor, element?: ElementNode): Status {
    const index = this.#indexes.get(name)!
    const { bytes, starts, ends } = this.row
    const [start, end] = [starts[index]!, ends[index]!]
    const form = this.#forms[index]!
    cursor.reserve(end - start + 256)
    if (form === 'boolean') {
      openText(cursor, bytes[start] === 0 ? 'false' : 'true')
    } else if (form === 'timestamptz') {
      const instant = toInstant(bytes, start)
      if (instant === undefined) return cursor.fail('must be an instant in the years 0001 to 9999')
      openText(cursor, `"${instant}"`)
    } else if (element !== undefined && form !== 'json' && form !== 'jsonb' && isJsonString(element)) {
      const text = bytes.toString('utf8', start, end)
      openText(cursor, JSON.stringify(this.#spellings[name]?.[text] ?? text))
    } else {
      cursor.read(bytes, form === 'jsonb' ? start + 1 : start, end) // jsonb's binary format begins with a version
      cursor.skipBlanks()
    }
    return copied
  }

  #text (index: number): string | undefined {
    const { bytes, starts, ends } = this.row
    const start = starts[index]!
    return start < 0 ? undefined : bytes.toString('utf8', this.#forms[index] === 'jsonb' ? start + 1 : start, ends[index])
  }
}

/** Points the cursor to JSON that was made for it. */
export function openText (cursor: Cursor, json: string): void {
  const source = Buffer.from(json)
  cursor.reserve(source.length + 256)
  cursor.read(source, 0, source.length)
}

/** Primitives that JSON writes as strings. */
function isJsonString ({ type, isList }: ElementNode): boolean {
  return type.isPrimitive && !isList && !['boolean', 'decimal', 'integer', 'positiveInt', 'unsignedInt'].includes(type.name)
}
