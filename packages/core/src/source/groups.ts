import { sql } from 'kysely'
import type { Kysely, RawBuilder, Transaction } from 'kysely'
import type { SourceRow } from './relations.ts'
import { readSource, toTextColumns } from './text-columns.ts'

/** A group that was not deleted. */
export interface StoredGroup {
  /** Its `updated_at` is the last change of the group or of any of its members. */
  group: SourceRow<'patient_groups'>
  /** All there are, the inactive ones among them; they may be more than `members` holds. */
  memberCount: number
  members: Array<SourceRow<'patient_group_members'>>
}

type CountedGroup = SourceRow<'patient_groups'> & { member_count: number, changed_at: string }

/** A deleted member is none, and neither is a deleted patient. */
const isMember = sql<boolean>`m.deleted_at IS NULL AND NOT EXISTS (SELECT FROM source.patients p WHERE p.id = m.patient_id AND p.deleted_at IS NOT NULL)`

export async function findGroup<DB> (db: Kysely<DB>, id: string): Promise<StoredGroup | undefined> {
  return await readSource(db, async function readGroup (trx) {
    const [group] = await readGroups(trx, sql`AND g.id::text = ${id}`, 1)
    return group === undefined ? undefined : await withMembers(trx, group)
  })
}

/** At most `limit` groups, by id, those behind `after`; with the members of each that brings the page to no more than `maxMembers`. */
export async function findGroups<DB> (db: Kysely<DB>, { after, limit, maxMembers }: { after: string | undefined, limit: number, maxMembers: number }): Promise<StoredGroup[]> {
  return await readSource(db, async function readPage (trx) {
    const found: StoredGroup[] = []
    let left = maxMembers
    for (const group of await readGroups(trx, after === undefined ? sql`` : sql`AND g.id::text > ${after}`, limit)) {
      const isListed = group.member_count <= left
      if (isListed) left -= group.member_count
      found.push(isListed ? await withMembers(trx, group) : toStored(group, []))
    }
    return found
  })
}

export async function isGroup<DB> (db: Kysely<DB>, id: string): Promise<boolean> {
  const { rows } = await sql`SELECT FROM source.patient_groups WHERE id::text = ${id} AND deleted_at IS NULL`.execute(db)
  return rows.length > 0
}

/** Those of the ids that patients have, deleted ones among them: an export with `_since` tells of these, too. */
export async function findPatientIds<DB> (db: Kysely<DB>, ids: string[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`SELECT id::text AS id FROM source.patients WHERE id::text = ANY(${ids}::text[])`.execute(db)
  return new Set(rows.map(({ id }) => id))
}

/** Those of the ids that belong to members of the group; an inactive one is a member no more (http://hl7.org/fhir/R4/group.html). */
export async function findMemberIds<DB> (db: Kysely<DB>, groupId: string, ids: string[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    SELECT DISTINCT m.patient_id::text AS id FROM source.patient_group_members m
    WHERE m.group_id::text = ${groupId} AND m.patient_id::text = ANY(${ids}::text[]) AND m.inactive IS NOT TRUE AND ${isMember}`.execute(db)
  return new Set(rows.map(({ id }) => id))
}

async function readGroups<DB> (trx: Transaction<DB>, condition: RawBuilder<unknown>, limit: number): Promise<CountedGroup[]> {
  const { rows } = await sql<CountedGroup>`
    SELECT ${toTextColumns('patient_groups', 'g')}, greatest(g.updated_at, c.changed_at)::text AS changed_at, c.member_count
    FROM source.patient_groups g
    CROSS JOIN LATERAL (
      SELECT max(m.updated_at) AS changed_at, count(*) FILTER (WHERE ${isMember}) AS member_count
      FROM source.patient_group_members m WHERE m.group_id = g.id
    ) c
    WHERE g.deleted_at IS NULL ${condition} ORDER BY g.id::text LIMIT ${limit}`.execute(trx)
  return rows
}

async function withMembers<DB> (trx: Transaction<DB>, group: CountedGroup): Promise<StoredGroup> {
  const { rows } = await sql<SourceRow<'patient_group_members'>>`
    SELECT ${toTextColumns('patient_group_members', 'm')}
    FROM source.patient_group_members m WHERE m.group_id::text = ${group.id} AND ${isMember} ORDER BY m.patient_id, m.id`.execute(trx)
  return toStored(group, rows)
}

function toStored ({ member_count: memberCount, changed_at: changedAt, ...group }: CountedGroup, members: StoredGroup['members']): StoredGroup {
  return { group: { ...group, updated_at: changedAt }, memberCount, members }
}
