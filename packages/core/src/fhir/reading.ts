import { ElementError, join, within } from './element-error.ts'
import type { Memo } from './memo.ts'

/**
 * Readers conform a freshly parsed JSON value to its FHIR R4 datatype, in place: they give back the value (or what stands
 * for it), `undefined` where it is absent (`null`, `""`, `[]`, `{}`), and throw an ElementError where it is wrong.
 * They are closures put together once, at import; a call allocates nothing unless something is odd.
 */
export type Reader<T> = (value: unknown, scope: Scope) => T | undefined

/** What a resource is read for, and what was noticed on the way. One per resource. */
export interface Scope {
  /**
   * `export`: a row becomes a resource. What FHIR does not define is an error; ids, extensions and extensions of
   * primitives inside a column are left out, since they are not held; defaults are filled in.
   * `load`: a resource becomes a row. Whatever a row does not hold is left out and noted.
   */
  readonly purpose: 'export' | 'load'
  /** Bases that an Attachment.url must lie under to be exported. */
  readonly attachmentBaseUrls: readonly string[]
  readonly notes: Note[]
  /** Of an export: what each column's texts were read as before. */
  readonly memos?: Map<object, Memo>
  depth: number
}

export interface Note {
  path: string
  readonly remark: 'is not held' | 'is held without its version' | 'is moved into a nested provision' | 'is left out: not under ATTACHMENT_BASE_URLS' | 'is left out: the data is inline'
}

/** The elements of a FHIR type that readers know: every one but ids and extensions. */
export type Elements<T> = { [K in Exclude<keyof T, NotHeld>]-?: Reader<NonNullable<T[K]>> }
type NotHeld = 'id' | 'extension' | 'modifierExtension' | `_${string}`

const maxDepth = 32

export function object<T extends object> (elements: Elements<T>, required: ReadonlyArray<keyof T & string> = []): Reader<T> {
  return partialObject<T>(elements as Partial<Elements<T>>, required)
}

/** For a type of which only some elements are held. */
export function partialObject<T extends object> (elements: Partial<Elements<T>>, required: ReadonlyArray<keyof T & string> = []): Reader<T> {
  const readers = new Map<string, Reader<unknown>>(Object.entries(elements))

  return function readObject (value, scope) {
    if (!isObject(value)) return absent(value, 'must be an object')
    let held = 0
    for (const element in value) {
      const given = value[element]
      const kept = readAt(element, given, readers.get(element) ?? leaveOut(element), scope)
      if (kept === undefined) {
        delete value[element]
      } else {
        if (kept !== given) value[element] = kept
        held++
      }
    }
    if (held === 0) return undefined
    for (const name of required) {
      if (value[name] === undefined) throw new ElementError('is required', name)
    }
    return value as T // every element has been read
  }
}

export function list<T> (read: Reader<T>): Reader<T[]> {
  return function readList (value, scope) {
    if (!Array.isArray(value)) return absent(value, 'must be an array')
    let held = 0
    for (let index = 0; index < value.length; index++) {
      const kept = readAt(index, value[index], read, scope)
      if (kept !== undefined) value[held++] = kept
    }
    if (held < value.length) value.length = held
    return held === 0 ? undefined : value
  }
}

/** Reads a value that stands at an element or index: whatever is wrong or noticed inside gets it into its path. */
export function readAt<V, T> (element: string | number, value: V, read: (value: V, scope: Scope) => T | undefined, scope: Scope): T | undefined {
  const mark = scope.notes.length
  try {
    const kept = read(value, scope)
    if (scope.notes.length > mark) noteWithin(scope.notes, mark, segment(element))
    return kept
  } catch (error) {
    throw within(error, segment(element))
  }
}

/** A reader and what FHIR asks of the whole value: `conform` gives it back, or another in its place, or throws. */
export function refine<T, U = T> (read: Reader<T>, conform: (value: T, scope: Scope) => U | undefined): Reader<U> {
  return function readRefined (value, scope) {
    const kept = read(value, scope)
    return kept === undefined ? undefined : conform(kept, scope)
  }
}

/** For types that contain themselves; bounds how deep, since a row may come from anywhere. */
export function nested<T> (reader: () => Reader<T>): Reader<T> {
  return function readNested (value, scope) {
    if (scope.depth === maxDepth) throw new ElementError('is nested too deeply')
    scope.depth++
    const kept = reader()(value, scope)
    scope.depth--
    return kept
  }
}

/** The answer to a value that is not of its type: undefined if it is one of the spellings of nothing, else an error. */
export function absent (value: unknown, problem: string): undefined {
  if (!isEmpty(value)) throw new ElementError(problem)
}

export function isEmpty (value: unknown): boolean {
  return value === null || value === undefined || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)
}

export function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function leaveOut (element: string): Reader<undefined> {
  return function readNotHeld (value, scope) {
    if (isEmpty(value)) return undefined
    if (element === 'modifierExtension') throw new ElementError('is not supported: it may change the meaning of what it stands in')
    if (scope.purpose === 'load') scope.notes.push({ path: '', remark: 'is not held' })
    else if (element !== 'id' && element !== 'extension' && !element.startsWith('_')) throw new ElementError('is not an element of its type')
    return undefined
  }
}

function noteWithin (notes: Note[], from: number, element: string): void {
  for (const note of notes.slice(from)) note.path = join(element, note.path)
}

/** A key that looks like no element's name might be somebody's data: the path ends at its parent. */
function segment (element: string | number): string {
  if (typeof element === 'number') return `[${element}]`
  return /^_?[a-z][A-Za-z0-9.]{0,63}$/.test(element) ? element : ''
}
