import { copied, copyRun, Input, no, yes, type Cursor, type ElementNode, type PutValue, type Status } from '../r4/index.ts'
import type { ColumnForm, SourceRelation } from './relation.ts'
import type { Definition, Texts } from './definition.ts'
import type { Row } from './row.ts'
import { writeInstant } from './timestamp.ts'

const quote = 0x22
/** Bytes that an element takes beyond its value: its name, brackets, commas. */
export const room = 256
/** By its byte: whether a character may stand in an id. */
const isOfId = Array.from({ length: 256 }, (_, byte) => /[A-Za-z0-9.-]/.test(String.fromCharCode(byte)))

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
  /** Of every column that a line may need, and of what only SQL can make, the text: undefined for NULL. */
  readonly texts: Texts
  row: Row = { bytes: Buffer.alloc(0), starts: new Int32Array(0), ends: new Int32Array(0) }
  #input = new Input(this.row.bytes)
  readonly #indexes = new Map<string, number>()
  readonly #forms: ColumnForm[] = []
  readonly #spellings: Definition['spellings']
  /** JSON of the value that was opened last, where the column has none: its first byte stays a quote. */
  readonly #json = Buffer.alloc(1024, '"')
  readonly #jsonInput = new Input(this.#json)

  constructor ({ columns, liveMembers }: SourceRelation, { over, other, computed, attachments, spellings, defaults }: Definition) {
    this.#spellings = spellings
    const texts: Record<string, string | undefined> = {}
    const add = (name: string, form: ColumnForm, sql: string, isMeasured = false) => {
      const index = this.selected.push({ sql, isMeasured, path: over[name] ?? (name in computed ? name : '') }) - 1
      this.#indexes.set(name, index)
      this.#forms.push(form)
      Object.defineProperty(texts, name, { get: () => this.#text(index) })
    }
    const inDefaults = Object.values(defaults).flatMap(({ around }) => around?.column ?? [])
    for (const name of ['id', 'updated_at', ...inDefaults, 'resource', ...Object.keys(over), ...Object.keys(other)]) {
      const form = columns[name]
      if (form !== undefined) {
        add(name, form, form === 'other' ? `r.${name}::text` : `r.${name}`, name === 'resource' || attachments.includes(name))
      }
    }
    if (liveMembers !== undefined) for (const [name, toSql] of Object.entries(computed)) add(name, 'text', toSql(liveMembers))
    this.texts = texts
  }

  take (row: Row): void {
    this.row = row
    if (row.bytes !== this.#input.bytes) this.#input = new Input(row.bytes)
  }

  /** Of the columns that the relation has: their fields in the row. */
  find (...names: readonly string[]): number[] {
    return names.flatMap((name) => this.#indexes.get(name) ?? [])
  }

  /**
   * Points a cursor to JSON of a column that is there; `element`: what the column lies over, which may be a string. Fails for what no JSON
   * can be made of.
   */
  opener (name: string, element?: ElementNode): (cursor: Cursor) => Status {
    const index = this.#indexes.get(name) ?? -1
    const form = this.#forms[index]
    const spellings = this.#spellings[name]
    if (form === 'boolean') return (cursor) => openText(cursor, this.row.bytes[this.row.starts[index]!] === 0 ? 'false' : 'true')
    if (form === 'timestamptz') return (cursor) => this.#openInstant(cursor, index)
    if (element !== undefined && form !== 'json' && form !== 'jsonb' && isJsonString(element)) {
      return (cursor) => this.#openString(cursor, index, spellings)
    }
    const version = form === 'jsonb' ? 1 : 0 // with which jsonb's binary format begins
    return (cursor) => {
      const { starts, ends } = this.row
      cursor.read(this.#input, starts[index]! + version, ends[index]!)
      cursor.reserve(cursor.end - cursor.at + room)
      cursor.skipBlanks()
      return copied
    }
  }

  /** What writes a column's value at once, where each is good as it is; undefined: none. */
  putter (name: string, { type, isList }: ElementNode): PutValue | undefined {
    const index = this.#indexes.get(name) ?? -1
    const form = this.#forms[index]
    if (isList) return undefined
    if ((form === 'text' || form === 'other') && type.name === 'id') {
      return (cursor) => {
        cursor.reserve(room)
        cursor.target[cursor.to++] = quote
        if (!this.#putId(cursor, index)) return false
        cursor.target[cursor.to++] = quote
        return true
      }
    }
    if (form === 'boolean' && type.name === 'boolean') {
      return (cursor) => {
        cursor.reserve(room)
        const word = this.row.bytes[this.row.starts[index]!] === 0 ? no : yes
        word.put(cursor)
        return true
      }
    }
    if (form !== 'timestamptz' || (type.name !== 'instant' && type.name !== 'dateTime')) return undefined
    return (cursor) => {
      cursor.reserve(room)
      const { target, to } = cursor
      const end = writeInstant(this.row.bytes, this.row.starts[index]!, target, to + 1)
      if (end === -1) return false
      target[to] = target[end] = quote
      cursor.to = end + 1
      return true
    }
  }

  /** What writes a column's id, without quotes; false: there is none that may be written. */
  idPutter (name: string): PutValue {
    const index = this.#indexes.get(name) ?? -1
    return (cursor) => index !== -1 && this.#putId(cursor, index)
  }

  #putId (cursor: Cursor, index: number): boolean {
    const { bytes, starts, ends } = this.row
    const start = starts[index]!
    const length = ends[index]! - start
    if (start < 0 || length === 0 || length > 64) return false
    const { target, to } = cursor
    for (let i = 0; i < length; i++) {
      const byte = bytes[start + i]!
      if (!isOfId[byte]) return false
      target[to + i] = byte
    }
    cursor.to = to + length
    return true
  }

  #openInstant (cursor: Cursor, index: number): Status {
    const end = writeInstant(this.row.bytes, this.row.starts[index]!, this.#json, 1)
    if (end === -1) return cursor.fail('must be an instant in the years 0001 to 9999')
    return this.#openJson(cursor, end)
  }

  #openString (cursor: Cursor, index: number, spellings: Readonly<Record<string, string>> | undefined): Status {
    const { bytes, starts, ends } = this.row
    const [start, end] = [starts[index]!, ends[index]!]
    if (spellings === undefined && end - start < this.#json.length - 2 && this.#putPlain(start, end)) {
      return this.#openJson(cursor, end - start + 1)
    }
    const text = bytes.toString('utf8', start, end)
    return openText(cursor, JSON.stringify(spellings?.[text] ?? text))
  }

  /** False where the text does not stand in JSON as it is. */
  #putPlain (start: number, end: number): boolean {
    return copyRun(this.#input, start, end, this.#jsonInput, 1) === end
  }

  #openJson (cursor: Cursor, end: number): Status {
    this.#json[end] = quote
    cursor.read(this.#jsonInput, 0, end + 1)
    cursor.reserve(end + room)
    return copied
  }

  #text (index: number): string | undefined {
    const { bytes, starts, ends } = this.row
    const start = starts[index]!
    return start < 0 ? undefined : bytes.toString('utf8', this.#forms[index] === 'jsonb' ? start + 1 : start, ends[index])
  }
}

/** JSON that was made for a cursor last. */
const made = new Input(Buffer.alloc(4096))

/** Points the cursor to JSON that was made for it. */
export function openText (cursor: Cursor, json: string): Status {
  const isShort = 3 * json.length <= made.bytes.length
  const input = isShort ? made : new Input(Buffer.from(json))
  const length = isShort ? made.bytes.write(json) : input.bytes.length
  cursor.reserve(length + room)
  cursor.read(input, 0, length)
  return copied
}

/** Primitives that JSON writes as strings. */
function isJsonString ({ type, isList }: ElementNode): boolean {
  return type.isPrimitive && !isList && !['boolean', 'decimal', 'integer', 'positiveInt', 'unsignedInt'].includes(type.name)
}
