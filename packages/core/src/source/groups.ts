import { sql, type QueryExecutorProvider, type RawBuilder } from 'kysely'
import type { SourceRelation } from '../resources/index.ts'
import type { Source } from './catalog.ts'

export async function isGroup (db: QueryExecutorProvider, { relations }: Source, id: string): Promise<boolean> {
  const groups = relations.find(({ type }) => type === 'Group')
  if (groups === undefined) return false
  const { rows } = await sql`SELECT FROM source.patient_groups r WHERE r.id::text = ${id} AND ${isLive(groups)}`.execute(db)
  return rows.length > 0
}

/** Those of the ids that patients have, deleted ones among them: an export with `_since` tells of these, too. */
export async function findPatientIds (db: QueryExecutorProvider, { relations }: Source, ids: string[]): Promise<Set<string>> {
  if (!relations.some(({ type }) => type === 'Patient')) return new Set()
  return await readIds(db, sql<{ id: string }>`SELECT id::text AS id FROM source.patients WHERE id::text = ANY(${ids}::text[])`)
}

/** Those of the ids that belong to members of the group; an inactive one is a member no more (http://hl7.org/fhir/R4/group.html). */
export async function findMemberIds (
  db: QueryExecutorProvider, { relations }: Source, groupId: string, ids: string[]
): Promise<Set<string>> {
  const members = relations.find(({ type }) => type === 'Group')?.liveMembers
  if (members === undefined) return new Set()
  return await readIds(db, sql<{ id: string }>`
    SELECT DISTINCT m.patient_id AS id FROM ${sql.raw(members)} m
    WHERE m.group_id = ${groupId} AND m.patient_id = ANY(${ids}::text[]) AND m.inactive IS NOT TRUE`)
}

/** SQL that is true for a row `r` that was not deleted. */
export function isLive ({ columns }: SourceRelation): RawBuilder<boolean> {
  return 'deleted_at' in columns ? sql`r.deleted_at IS NULL` : sql`true`
}

async function readIds (db: QueryExecutorProvider, query: RawBuilder<{ id: string }>): Promise<Set<string>> {
  const { rows } = await query.execute(db)
  return new Set(rows.map(({ id }) => id))
}
