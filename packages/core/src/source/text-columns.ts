import { sql } from 'kysely'
import type { Kysely, RawBuilder, Transaction } from 'kysely'
import { relations, type Relation } from './relations.ts'

/** A relation's columns in the text form of a SourceRow, where it is not COPY that delivers them; inside of readSource only. */
export function toTextColumns (relation: Relation, alias: string): RawBuilder<unknown> {
  return sql.join(Object.entries(relations[relation]).map(function toText ([column, type]) {
    const ref = sql.ref(`${alias}.${column}`)
    return type === 'boolean'
      ? sql`CASE WHEN ${ref} THEN 't' WHEN NOT ${ref} THEN 'f' END AS ${sql.ref(column)}` // a cast would write true and false
      : sql`${ref}::text AS ${sql.ref(column)}`
  }))
}

/** Several questions to one instant of the source, with times in the text form that serializers read. */
export async function readSource<DB, T> (db: Kysely<DB>, read: (trx: Transaction<DB>) => Promise<T>): Promise<T> {
  return await db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(async function readInUtc (trx) {
    await sql`SELECT set_config('DateStyle', 'ISO, YMD', true), set_config('TimeZone', 'UTC', true)`.execute(trx)
    return await read(trx)
  })
}
