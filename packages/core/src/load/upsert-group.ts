import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { GroupRows } from './group-rows.ts'
import { upsert } from './upsert.ts'

const membersAtOnce = 10_000

/** A group and its member list, together or not at all: who is no longer in it is deleted. Gives back how many rows it wrote. */
export async function upsertGroup<DB> (db: Kysely<DB>, { group, members }: GroupRows): Promise<number> {
  return await db.transaction().execute(async function replaceMembers (trx) {
    let written = await upsert(trx, 'patient_groups', [group])
    for (let start = 0; start < members.length; start += membersAtOnce) {
      written += await upsert(trx, 'patient_group_members', members.slice(start, start + membersAtOnce))
    }
    const left = await sql`
      UPDATE source.patient_group_members SET deleted_at = clock_timestamp()
      WHERE group_id = ${group.id} AND deleted_at IS NULL
        AND id NOT IN (SELECT unnest(${members.map(member => member.id)}::text[]))`.execute(trx)
    return written + Number(left.numAffectedRows ?? 0)
  })
}
