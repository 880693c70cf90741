import { failed, type Cursor } from './cursor.ts'
import type { Frame } from './frame.ts'
import type { TypeNode } from './table.ts'

/** Cardinality, choices, ele-1, and nulls that hold the place of extensions. */
export function hasWhatItNeeds (cursor: Cursor, type: TypeNode, frame: Frame): boolean {
  const { lists } = frame
  for (let i = 0; i < type.required.length; i++) {
    const { name, indexes } = type.required[i]!
    if (!frame.hasAny(indexes)) return cursor.failAt(name, 'is required') !== failed
  }
  if (frame.choices > 1 && !hasOneOfEachChoice(cursor, type, frame)) return false
  if (type.idIndex !== -1 && frame.has(type.idIndex) && !type.isResource && type.name !== 'Element' && !hasMoreThanId(type, frame)) {
    return cursor.fail('must have content besides its id') !== failed
  }
  if (lists === undefined) return true
  for (const { element, isThere } of lists) {
    if (element.extends !== undefined) {
      if (isThere.includes(true) || frame.has(element.extends)) continue
      return cursor.failAt(element, 'must not be empty') !== failed
    }
    const extensions = lists.find((list) => list.element.extends === element.index)
    for (const [i, value] of isThere.entries()) {
      if (value || extensions?.isThere[i] === true) continue
      cursor.path.push(element)
      return cursor.failAt(i, 'must not be null without an extension') !== failed
    }
  }
  return true
}

function hasMoreThanId ({ elements, idIndex }: TypeNode, frame: Frame): boolean {
  return elements.some(({ index }) => index !== idIndex && frame.has(index))
}

function hasOneOfEachChoice (cursor: Cursor, type: TypeNode, frame: Frame): boolean {
  for (let i = 0; i < type.choices.length; i++) {
    const { base, members } = type.choices[i]!
    let chosen = -1
    for (let n = 0; n < members.length; n++) {
      const { index, value } = members[n]!
      if (!frame.has(index)) continue
      if (chosen !== -1 && chosen !== value) return cursor.failAt(`${base}[x]`, 'must stand only once, with one type') !== failed
      chosen = value
    }
  }
  return true
}
