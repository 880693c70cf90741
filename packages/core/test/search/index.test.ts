import { sql } from 'kysely'
import t from 'tap'
import { parseTypeFilter, toFilterSql } from '../../src/search/index.ts'
import { readSource } from '../../src/source/index.ts'
import { openTestDatabase } from '../fixtures/database.ts'

t.test('the indexes that packages/core/README.md suggests are used', async (t) => {
  const db = await openTestDatabase(t)
  await sql`SELECT source.create_relation('observation')`.execute(db)
  await sql`INSERT INTO source.observation (id, resource) SELECT 'o' || i, json_build_object('resourceType', 'Observation', 'status',
    'final',
    'code', json_build_object('coding', json_build_array(json_build_object('system', 'http://loinc.org', 'code', 'c' || i))),
    'subject', json_build_object('reference', 'Patient/p' || i % 1000)) FROM generate_series(1, 20000) i`.execute(db)
  const explain = async (filter: string): Promise<string> => {
    const { relations } = await readSource(db)
    const { conditions, settings } = toFilterSql([parseTypeFilter(filter)], relations, { mrnSystem: undefined, now: new Date() })
    return await db.transaction().execute(async (trx) => {
      for (const [name, value] of Object.entries(settings)) await sql`SELECT set_config(${name}, ${value}, true)`.execute(trx)
      const { rows } =
        await sql<Record<string, string>>`EXPLAIN SELECT r.id FROM source.observation r
          WHERE ${sql.raw(conditions.Observation ?? '')}`.execute(trx)
      return rows.map((row) => Object.values(row)[0]).join('\n')
    })
  }
  const filters = ['Observation?code=http://loinc.org|c7', 'Observation?code=c7,c8', 'Observation?subject=Patient/p7']
  for (const filter of filters) t.match(await explain(filter), 'Seq Scan', `${filter} without an index`)
  await sql`CREATE INDEX observation_search ON source.observation USING gin ((resource::jsonb) jsonb_path_ops)`.execute(db)
  await sql`ANALYZE source.observation`.execute(db)
  for (const filter of filters.slice(0, 2)) t.match(await explain(filter), 'observation_search', filter)

  await sql`ALTER TABLE source.observation ALTER COLUMN resource TYPE jsonb USING resource::jsonb`.execute(db)
  await sql`DROP INDEX IF EXISTS source.observation_search`.execute(db)
  await sql`CREATE INDEX observation_search ON source.observation USING gin (resource jsonb_path_ops)`.execute(db)
  await sql`ANALYZE source.observation`.execute(db)
  for (const filter of filters.slice(0, 2)) t.match(await explain(filter), 'observation_search', filter)
})
