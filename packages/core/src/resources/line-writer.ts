import {
  absent, copied, copyOverlaid, createOverlaid, createStampedCopier, Cursor, getElement, getType, isRootElement, Literal,
  mandatoryElements, withTypeFirst, type PutValue, type Status,
} from '../r4/index.ts'
import type { SourceRelation } from './relation.ts'
import { toExportedUrl } from './attachment-url.ts'
import { Columns, openText, room, type SelectedColumn } from './columns.ts'
import { createOverlay, type Leaf } from './create-overlay.ts'
import type { Default } from './definition.ts'
import { isId } from './id.ts'
import type { LineContext } from './line-context.ts'
import { getDefinition } from './registry.ts'
import type { Line, Row } from './row.ts'
import type { RowIssue } from './row-issue.ts'
import { ValueProblem } from './value-problem.ts'

export interface LineWriter {
  /** What a row has to hold, in this order. */
  columns: readonly SelectedColumn[]
  /** Appends the row's resource, as a line of NDJSON. Of a row that cannot be exported nothing is appended. */
  write: (row: Row, line: Line) => RowIssue | undefined
}

const newline = 0x0a
const subsetted = '{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}'

/**
 * What makes lines of a relation's rows: the row's `resource` as it stands, with `id`, `meta.lastUpdated` and the columns of its type put
 * over it, reduced to `_elements`. `warn` hears of what is left out of a line that is written.
 */
export function createLineWriter (relation: SourceRelation, context: LineContext, warn: (issue: RowIssue) => void): LineWriter {
  const { type } = relation
  const definition = getDefinition(type)
  const columns = new Columns(relation, definition)
  const openResource = columns.opener('resource')
  const [idField, updatedField, resourceField] = ['id', 'updated_at', 'resource'].map((name) => columns.find(name)[0])
  const hasColumns = Object.keys(definition.over).length > 0
  const cursor = new Cursor()
  const warnings: Array<{ path: string, problem: string }> = []
  const node = withTypeFirst(getType(type))
  const kept = toKept(type, context.elements)
  const overlay = createOverlay(node, toLeaves(), {
    ...(Object.keys(definition.fill).length === 0 ? {} : { spans: new Int32Array(2 * node.elements.length) }),
    ...(kept === undefined ? {} : { keeps: node.elements.map(({ base }) => kept.has(base)) }),
  })

  const ownFields = columns.find(...Object.keys(definition.over), ...Object.keys(definition.other))
  const copyStamped = kept === undefined ? toStampedCopier() : undefined

  /** For rows with a resource and no column that would change it. */
  function toStampedCopier (): ((copying: Cursor) => Status) | undefined {
    const putId = columns.putter('id', getElement(node, 'id'))
    const putLastUpdated = columns.putter('updated_at', getElement(node, 'meta.lastUpdated'))
    return putId === undefined || putLastUpdated === undefined ? undefined : createStampedCopier(node, putId, putLastUpdated)
  }

  function toLeaves (): Leaf[] {
    const over = ([column, path]: [string, string]): Leaf => toColumnLeaf(column, path)
    const leaves = [over(['id', 'id']), over(['updated_at', 'meta.lastUpdated'])]
    if (kept !== undefined) {
      leaves.push({
        path: ['meta', 'tag'], touchedBy: columns.find('id'),
        entry: { openItem: (copying, start) => isSubsetted(copying, start) ? absent : openJson(copying, subsetted) }
      })
    }
    leaves.push(...Object.entries(definition.over).filter(([column]) => column in relation.columns).map(over))
    for (const [path, { from, toItem }] of Object.entries(definition.append)) {
      const openItem = (copying: Cursor, start: number) => openMade(copying,
        () => toItem(columns.texts, () => start === -1 ? undefined : copying.target.toString('utf8', start, copying.to), context))
      leaves.push({ path: path.split('.'), touchedBy: columns.find(...from), entry: { openItem } })
    }
    for (const [element, make] of Object.entries(definition.fill)) {
      leaves.push({
        path: [element], touchedBy: [],
        entry: { openDefault: (copying) => openMade(copying, () => make(columns.texts, written)) }
      })
    }
    for (const [element, { toJson, around }] of Object.entries(definition.defaults)) {
      const openDefault = (copying: Cursor) => isThere(resourceField) ? absent : openMade(copying, () => toJson(columns.texts))
      leaves.push({ path: [element], touchedBy: [], entry: { openDefault, ...(around && { putDefault: putterAround(around) }) } })
    }
    return leaves
  }

  function toColumnLeaf (column: string, path: string): Leaf {
    const element = getElement(node, path)
    const open = columns.opener(column, element)
    const putValue = columns.putter(column, element)
    const isAttachment = definition.attachments.includes(column)
    const openValue = (copying: Cursor) => {
      copying.isColumn = true
      copying.takeUrl = isAttachment ? takeUrl : undefined
      return open(copying)
    }
    const touchedBy = columns.find(column)
    const entry = { field: touchedBy[0]!, openValue, ...(putValue === undefined ? {} : { putValue }) }
    return { path: path.split('.'), touchedBy, givesWay: definition.givesWay.includes(column), entry }
  }

  function putterAround ({ before, column, after = '' }: NonNullable<Default['around']>): PutValue {
    const [start, end] = [new Literal(Buffer.from(before)), new Literal(Buffer.from(after))]
    const putId = column === undefined ? undefined : columns.idPutter(column)
    return (copying) => {
      if (isThere(resourceField)) return false
      copying.reserve(start.length + end.length + room)
      start.put(copying)
      if (putId?.(copying) === false) return false
      end.put(copying)
      return true
    }
  }

  /** Where the url may not be followed it is left out; a relative one becomes absolute. */
  function takeUrl (copying: Cursor, start: number): boolean {
    const url: string = JSON.parse(copying.target.toString('utf8', start, copying.to))
    const exported = toExportedUrl(url, context.attachmentBaseUrls)
    if (exported === undefined) {
      warnings.push({ path: `${copying.describePath()}.url`, problem: 'is left out: not under ATTACHMENT_BASE_URLS' })
      return false
    }
    if (exported !== url) {
      const json = Buffer.from(JSON.stringify(exported))
      copying.to = start
      copying.reserveRest(json.length)
      copying.put(json)
    }
    return true
  }

  function written (element: string): string | undefined {
    const { index } = getElement(node, element)
    const [start = -1, end = -1] = overlay.spans?.subarray(2 * index, 2 * index + 2) ?? []
    return start === -1 ? undefined : cursor.target.toString('utf8', start, end)
  }

  function write (row: Row, line: Line): RowIssue | undefined {
    columns.take(row)
    cursor.write(line.bytes, line.size)
    cursor.begin()
    cursor.fields = row.starts
    if (warnings.length > 0) warnings.length = 0 // as in cursor.begin
    const status = copyRow()
    if (status !== copied) return { severity: 'error', ...identify(), path: cursor.describePath(), problem: cursor.problem }
    cursor.reserve(1)
    cursor.target[cursor.to++] = newline
    line.bytes = cursor.target
    line.size = cursor.to
    for (const warning of warnings) warn({ severity: 'warning', ...identify(), ...warning })
    return undefined
  }

  function identify (): Pick<RowIssue, 'type' | 'id'> {
    const { id } = columns.texts
    return { type, id: isId(id) ? id : undefined }
  }

  function isThere (field: number | undefined): boolean {
    return field !== undefined && cursor.fields[field]! >= 0
  }

  function failAt (path: string): Status {
    cursor.path.push(path)
    return cursor.fail('is required')
  }

  function copyRow (): Status {
    if (!isThere(idField)) return failAt('id')
    if (!isThere(updatedField)) return failAt('meta.lastUpdated')
    if (isThere(resourceField)) openResource(cursor)
    else if (!hasColumns) return cursor.fail('has no resource: its column is NULL')
    else {
      cursor.reserve(4096)
      return createOverlaid(cursor, node, overlay)
    }
    cursor.reserveRest()
    const status = copyResource()
    cursor.skipBlanks()
    if (status === copied && cursor.at < cursor.end) return cursor.fail('must be JSON')
    return status
  }

  function copyResource (): Status {
    const { at, to } = cursor
    if (copyStamped !== undefined && !ownFields.some(isThere)) {
      if (copyStamped(cursor) === copied) return copied
      cursor.at = at
      cursor.to = to
      cursor.begin()
    }
    return copyOverlaid(cursor, node, overlay)
  }

  return { columns: columns.selected, write }
}

function openJson (cursor: Cursor, json: string): Status {
  return openText(cursor, json)
}

/** Points the cursor to what a definition makes of columns. */
function openMade (cursor: Cursor, make: () => string | undefined): Status {
  try {
    const json = make()
    return json === undefined ? absent : openJson(cursor, json)
  } catch (error) {
    if (error instanceof SyntaxError) return cursor.fail('is made of a column that must be JSON')
    if (!(error instanceof ValueProblem)) throw error
    return cursor.fail(error.message)
  }
}

function isSubsetted ({ target, to }: Cursor, start: number): boolean {
  return start !== -1 && target.subarray(start, to).includes('"SUBSETTED"')
}

/** The root elements that `_elements` leaves; undefined where the list says nothing of the type, whose resources then stay whole. */
function toKept (type: string, elements: readonly string[]): ReadonlySet<string> | undefined {
  const listed = elements.map((element) => element.split('.')).filter(([first, own]) => own === undefined || first === type)
    .map((names) => names.at(-1) ?? '')
  const known = listed.filter((element) => isRootElement(type, element))
  return listed.length === 0 ? undefined : new Set(['id', 'meta', ...mandatoryElements(type), ...known])
}
