import { sql, type Kysely, type QueryExecutorProvider, type RawBuilder } from 'kysely'
import type { Database } from '../db/database.ts'
import { rootElements } from '../r4/index.ts'
import { createLineWriter, type Line, type LineWriter, type Row, type RowIssue, type SourceRelation } from '../resources/index.ts'
import type { Source } from './catalog.ts'
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

/** SQL that is true for the rows `r` that are looked for, and the settings whose values it reads (search/to-sql.ts). */
export interface GroupFilter { condition: string, settings: Readonly<Record<string, string>> }

/** The groups that are looked for; `among`: none but those with these ids. Without either all of them. */
export interface GroupChoice { filter?: GroupFilter | undefined, among?: string[] | null }

/** Of a list of groups: those behind the id `after`, at most `limit` of them, with at most `maxMembers` members in all. */
export interface GroupPage extends GroupChoice { after: string | undefined, limit: number, maxMembers: number }

/** By id. A group for whose members there is no room comes without them, and says that it is not whole. */
export async function findGroupLines (
  db: Kysely<Database>, source: Source, { filter, among = null, after, limit, maxMembers }: GroupPage
): Promise<GroupLine[]> {
  const relation = source.relations.find(({ type }) => type === 'Group')
  if (relation === undefined) return []
  const condition = sql`${toSql({ filter, among })} ${after === undefined ? sql`` : sql`AND r.id::text > ${after}`}`
  const whole = createWriter(relation, [])
  const withoutMembers = createWriter(relation, [...rootElements('Group')].filter((element) => element !== 'member'))
  let left = maxMembers
  const rows = await withSettings(db, filter, async (trx) => await readRows(trx, relation, whole, maxMembers, condition, limit))
  return rows.map((found) => {
    if (found.members !== null && found.members > left) return toGroupLine(found, withoutMembers)
    const line = toGroupLine(found, whole)
    if (!('json' in line)) return line
    const members = countMembers(line.json)
    if (members > left) return toGroupLine(found, withoutMembers)
    left -= members
    return line
  })
}

export async function countGroups (db: Kysely<Database>, source: Source, { filter, among = null }: GroupChoice): Promise<number> {
  const relation = source.relations.find(({ type }) => type === 'Group')
  if (relation === undefined) return 0
  const { rows: [row] } = await withSettings(db, filter, async (trx) =>
    await sql<{ count: number }>`SELECT count(*) AS count FROM source.patient_groups r
      WHERE ${isLive(relation)} ${toSql({ filter, among })}`.execute(trx))
  return row?.count ?? 0
}

function toSql ({ filter, among }: GroupChoice): RawBuilder<unknown> {
  const isAmong = among == null ? sql`` : sql`AND r.id::text = ANY(${among}::text[])`
  return sql`${filter === undefined ? sql`` : sql.raw(`AND (${filter.condition})`)} ${isAmong}`
}

async function withSettings<T> (
  db: Kysely<Database>, filter: GroupFilter | undefined, read: (trx: QueryExecutorProvider) => Promise<T>
): Promise<T> {
  if (filter === undefined) return await read(db)
  const values = Object.entries(filter.settings)
  return await db.transaction().execute(async (trx) => {
    await sql`SELECT set_config(s.name, s.value, true)
      FROM unnest(${values.map(([name]) => name)}::text[], ${values.map(([, value]) => value)}::text[]) AS s (name, value)`.execute(trx)
    return await read(trx)
  })
}

function createWriter (relation: SourceRelation, elements: string[]): LineWriter {
  return createLineWriter(relation, { mrnSystem: undefined, attachmentBaseUrls: [], elements }, () => {})
}

/** record_send writes a row in binary, each column as COPY does. */
async function readRows (db: QueryExecutorProvider, relation: SourceRelation, {
  columns,
}: LineWriter, maxMembers: number, condition: RawBuilder<unknown>, limit: number): Promise<FoundGroup[]> {
  const { liveMembers = '', columns: present } = relation
  const isColumnRow = 'resource' in present ? 'r.resource IS NULL' : 'true'
  const members = `(SELECT count(*) FROM ${liveMembers} m WHERE m.group_id = r.id::text)`
  const selected = columns.map((column) =>
    column.path === 'member' ? `CASE WHEN n.members <= ${maxMembers} THEN ${column.sql} END` : column.sql)
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
