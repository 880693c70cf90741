import type { Cursor, PutValue, Status } from './cursor.ts'
import type { ElementNode } from './table.ts'

/** What is put over an object: values from a row's columns. One for all rows of a relation. */
export interface Overlay {
  /** By the element's index. */
  readonly byElement: ReadonlyArray<OverlayEntry | undefined>
  /** In the order in which they are written. */
  readonly entries: readonly OverlayEntry[]
  /** By the element's index, where not all are kept. */
  readonly keeps?: readonly boolean[]
  /** Where somebody asks: where in the target elements were written, start and end by the element's index; -1 for those that were not. */
  readonly spans?: Int32Array
  /** The fields of the row by which anything of it is touched. */
  readonly touchedBy: readonly number[]
  /** By the element's index: the fields whose values stand instead of it. */
  readonly replacedBy: ReadonlyArray<readonly number[]>
}

/** What is put over one element: instead of it, into it, at its end, or where it is not there. */
export interface OverlayEntry {
  readonly element: ElementNode
  /** The field of the row with a value that stands instead of the element's. */
  readonly field?: number
  /** Fields whose values leave it out: of other types of the same choice. */
  readonly givesWayTo: readonly number[]
  /** Writes that value, which is known to be good; false: it is not. */
  putValue?: PutValue
  /** Points the cursor to that value. */
  openValue?: (cursor: Cursor) => Status
  readonly nested?: Overlay
  /** Fields of which one has to be there for anything to be put over the element: its value, something nested, or a further item. */
  readonly touchedBy: readonly number[]
  /** Points the cursor to a further item of the list, whose items so far stand in the target from `start` on (-1: none). */
  openItem?: (cursor: Cursor, start: number) => Status
  /** Writes what stands for the element if there is none; false: that must be looked at more closely. */
  putDefault?: PutValue
  /** Points the cursor to that. */
  openDefault?: (cursor: Cursor) => Status
}
