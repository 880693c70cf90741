import { sql } from 'kysely'
import type { QueryExecutorProvider, RawBuilder } from 'kysely'
import { rootElements } from '../r4/index.ts'
import { createLineWriter, type Line, type LineWriter, type Row, type RowIssue } from '../resources/index.ts'
import type { Source, SourceRelation } from './catalog.ts'
import { isLive } from './groups.ts'

/** A row of source.patient_groups: the Group's JSON, as an export has it, or why there is none. */
export type GroupLine = { id: string } & ({ json: string } | { issue: RowIssue })

/** `row`: the writer's columns, as record_send gives them. `members`: their number, where they are those of patient_group_members. */
interface FoundGroup { id: string, row: Buffer, members: number | null }

/** Undefined where there is no such group, or it was deleted. */
export async function findGroupLine (db: QueryExecutorProvider, source: Source, id: string): Promise<GroupLine | undefined> {
  const relation = source.relations.find(({ type }) => type === 'Group')
  if (relation === undefined) return undefined
  const writer = createWriter(relation, [])
  const [found] = await readRows(db, relation, writer, Number.MAX_SAFE_INTEGER, sql`AND r.id::text = ${id}`, 1)
  return found === undefined ? undefined : toGroupLine(found, writer)
}

/** Of a list of groups, or of those `among` these ids: those behind the id `after`, at most `limit` of them, with at most `maxMembers` members in all. */
export interface GroupPage { among?: string[] | null, after: string | undefined, limit: number, maxMembers: number }

/** By id. A group for whose members there is no room comes without them, and says that it is not whole. */
export async function findGroupLines (db: QueryExecutorProvider, source: Source, { among = null, after, limit, maxMembers }: GroupPage): Promise<GroupLine[]> {
  const relation = source.relations.find(({ type }) => type === 'Group')
  if (relation === undefined) return []
  const whole = createWriter(relation, [])
  const withoutMembers = createWriter(relation, [...rootElements('Group')].filter((element) => element !== 'member'))
  let left = maxMembers
  const condition = sql`${after === undefined ? sql`` : sql`AND r.id::text > ${after}`} ${among === null ? sql`` : sql`AND r.id::text = ANY(${among}::text[])`}`
  return (await readRows(db, relation, whole, maxMembers, condition, limit)).map((found) => {
    if (found.members !== null && found.members > left) return toGroupLine(found, withoutMembers)
    const line = toGroupLine(found, whole)
    if (!('json' in line)) return line
    const members = countMembers(line.json)
    if (members > left) return toGroupLine(found, withoutMembers)
    left -= members
    return line
  })
}

function createWriter (relation: SourceRelation, elements: string[]): LineWriter {
  return createLineWriter(relation, { mrnSystem: undefined, attachmentBaseUrls: [], elements }, () => {})
}

/** record_send writes a row in binary, each column as COPY does. */
async function readRows (db: QueryExecutorProvider, relation: SourceRelation, { columns }: LineWriter, maxMembers: number, condition: RawBuilder<unknown>, limit: number): Promise<FoundGroup[]> {
  const { liveMembers = '', columns: present } = relation
  const isColumnRow = 'resource' in present ? 'r.resource IS NULL' : 'true'
  const members = `(SELECT count(*) FROM ${liveMembers} m WHERE m.group_id = r.id::text)`
  const selected = columns.map((column) => column.path === 'member' ? `CASE WHEN n.members <= ${maxMembers} THEN ${column.sql} END` : column.sql)
  const { rows } = await sql<FoundGroup>`
    SELECT r.id::text AS id, record_send(ROW(${sql.raw(selected.join(', '))})) AS row, n.members::int AS members
    FROM source.patient_groups r CROSS JOIN LATERAL (SELECT CASE WHEN ${sql.raw(isColumnRow)} THEN ${sql.raw(members)} END AS members) n
    WHERE ${isLive(relation)} ${condition} ORDER BY r.id::text LIMIT ${limit}`.execute(db)
  return rows
}

function toGroupLine ({ id, row }: FoundGroup, writer: LineWriter): GroupLine {
  const line: Line = { bytes: Buffer.allocUnsafe(row.length + 1_024), size: 0 }
  const issue = writer.write(toRow(row), line)
  return issue === undefined ? { id, json: line.bytes.toString('utf8', 0, line.size - 1) } : { id, issue }
}

/** The number of fields, and of each its type, its length (-1: NULL) and its bytes. */
function toRow (bytes: Buffer): Row {
  const fields = bytes.readInt32BE(0)
  const row = { bytes, starts: new Int32Array(fields), ends: new Int32Array(fields) }
  for (let i = 0, at = 4; i < fields; i++) {
    const length = bytes.readInt32BE(at + 4)
    at += 8
    row.starts[i] = length < 0 ? -1 : at
    at += Math.max(0, length)
    row.ends[i] = at
  }
  return row
}

function countMembers (json: string): number {
  const { member }: { member?: unknown[] } = JSON.parse(json)
  return member?.length ?? 0
}
