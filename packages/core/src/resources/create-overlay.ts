import { getElement, type ElementNode, type Overlay, type OverlayEntry, type TypeNode } from '../r4/index.ts'

/** What lies over an element, by its path from the resource. */
export interface Leaf {
  path: string[]
  /** Fields of the row without which there is nothing to put over it. */
  touchedBy: readonly number[]
  givesWay?: boolean
  entry: Pick<OverlayEntry, 'field' | 'putValue' | 'openValue' | 'openItem' | 'putDefault' | 'openDefault'>
}

/**
 * A tree of the leaves' paths. What lies over one element comes together; defaults of an element come after all others, since they look at
 * them.
 */
export function createOverlay (type: TypeNode, leaves: Leaf[], rest: Pick<Overlay, 'keeps' | 'spans'> = {}): Overlay {
  const groups = Map.groupBy(leaves, ({ path }) => path[0] ?? '')
  const drafts = [...groups].map(([name, all]) => {
    const element = getElement(type, name)
    const inner = all.filter(({ path }) => path.length > 1).map((leaf) => ({ ...leaf, path: leaf.path.slice(1) }))
    const own = all.filter(({ path }) => path.length === 1)
    const nested = inner.length === 0 ? {} : { nested: createOverlay(element.type, inner) }
    const entry: Pick<OverlayEntry, 'field' | 'openDefault'> = Object.assign({}, ...own.map(({ entry }) => entry), nested)
    return {
      ...entry, element, touchedBy: all.flatMap(({ touchedBy }) => touchedBy),
      givesWay: all.some(({ givesWay }) => givesWay === true)
    }
  })
  drafts.sort((a, b) => Number(a.openDefault !== undefined) - Number(b.openDefault !== undefined))
  const rivalsOf = (element: ElementNode) => drafts.filter((other) => other.element.base === element.base && other.element !== element)
  const entries = drafts.map(({ givesWay, ...entry }): OverlayEntry => ({
    ...entry,
    givesWayTo: givesWay ? rivalsOf(entry.element).flatMap(({ touchedBy }) => touchedBy) : []
  }))
  return {
    ...rest,
    entries,
    byElement: type.elements.map((element) => entries.find((entry) => entry.element === element)),
    touchedBy: entries.flatMap(({ touchedBy }) => touchedBy),
    replacedBy: type.elements.map((element) => toReplacing(element, entries)),
  }
}

/**
 * The fields whose values stand instead of an element: its own, that of another type of the same choice, or that of a list, whose items'
 * extensions then have nothing to extend.
 */
function toReplacing (element: ElementNode, entries: readonly OverlayEntry[]): number[] {
  return entries.filter((entry) => entry.element.base === element.base).flatMap((entry) => {
    const value = entry.field === undefined ? [] : [entry.field]
    if (entry.element === element) return value
    const isItsExtension = element.extends === entry.element.index
    return isItsExtension ? (element.isList ? value : []) : entry.touchedBy
  })
}
