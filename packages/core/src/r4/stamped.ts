import { copyObject } from './copier.ts'
import { copied, failed, type Cursor, type PutValue, type Status } from './cursor.ts'
import { Literal } from './literal.ts'
import { startElement } from './next-element.ts'
import { Shapes } from './shapes.ts'
import { getElement, type ElementNode, type TypeNode } from './table.ts'

const closeBrace = 0x7d
const openMeta = new Literal(Buffer.from('{"lastUpdated":'))

/** A resource type whose name is written in front of all elements, wherever it stands in the source. */
export function withTypeFirst (type: TypeNode): TypeNode {
  return { ...withElements(type, {}), prefix: new Literal(Buffer.from(`"resourceType":"${type.name}"`)) }
}

/**
 * Copies resources of a type with another `id` and another `meta.lastUpdated`: all that is put over a resource whose row has nothing else.
 * To copier.ts it is a type like any other, in which these two elements have copiers of their own, so that it has shapes as well.
 * What it fails for is for overlaid.ts, which does the same for any columns, and tells what is wrong.
 */
export function createStampedCopier (type: TypeNode, putId: PutValue, putLastUpdated: PutValue): (cursor: Cursor) => Status {
  const [id, meta] = [getElement(type, 'id'), getElement(type, 'meta')]
  const lastUpdated = getElement(meta.type, 'lastUpdated')
  let [hasId, hasMeta, hasLastUpdated] = [false, false, false]

  function copyId (cursor: Cursor): Status {
    hasId = true
    return replace(cursor, id, putId)
  }

  function copyLastUpdated (cursor: Cursor): Status {
    hasLastUpdated = true
    return replace(cursor, lastUpdated, putLastUpdated)
  }

  function copyMeta (cursor: Cursor): Status {
    hasMeta = true
    hasLastUpdated = false
    if (copyObject(cursor, stampedMeta) !== copied) return failed
    if (hasLastUpdated) return copied
    cursor.to--
    startElement(cursor, lastUpdated)
    return putAndClose(cursor, putLastUpdated)
  }

  const stampedMeta = withElements(meta.type, { lastUpdated: copyLastUpdated })
  const stamped = withElements(withTypeFirst(type), { id: copyId, meta: copyMeta })

  return function copyStamped (cursor) {
    hasId = false
    hasMeta = false
    if (copyObject(cursor, stamped) !== copied) return failed
    if (hasId && hasMeta) return copied
    cursor.to--
    if (!hasId) {
      startElement(cursor, id)
      if (!putId(cursor)) return failed
    }
    if (!hasMeta) {
      startElement(cursor, meta)
      openMeta.put(cursor)
      if (putAndClose(cursor, putLastUpdated) !== copied) return failed
    }
    cursor.target[cursor.to++] = closeBrace
    return copied
  }
}

/** The source's value is checked, and another one written. */
function replace (cursor: Cursor, { type, codes }: ElementNode, put: PutValue): Status {
  const { to } = cursor
  if (type.copyPrimitive?.(cursor, codes) !== copied) return failed
  cursor.to = to
  return put(cursor) ? copied : failed
}

function putAndClose (cursor: Cursor, put: PutValue): Status {
  if (!put(cursor)) return failed
  cursor.target[cursor.to++] = closeBrace
  return copied
}

/** The type with other copiers for the values of these elements, and nothing learned of it yet. */
function withElements (type: TypeNode, copiers: Readonly<Record<string, (cursor: Cursor) => Status>>): TypeNode {
  const elements = type.elements.map((element) => {
    const copyPrimitive = copiers[element.name]
    return copyPrimitive === undefined ? element : { ...element, memos: undefined, type: { ...element.type, copyPrimitive } }
  })
  return { ...type, elements, followers: [], shapes: [new Shapes(), new Shapes()] }
}
