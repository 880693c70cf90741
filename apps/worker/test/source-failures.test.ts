import { sql } from 'kysely'
import { keptKeys } from '@fhir-bulk-export/core/testing/database'
import t, { type Test } from 'tap'
import { openService, openWith, type Service } from './fixtures/service.ts'

/** A login that owns nothing, with the grants of docker/README.md; and a second one that owns what a site's views read. */
async function givenRoles (t: Test, { db, environment }: Service): Promise<{ exporter: string, owner: string, url: string }> {
  const [exporter, owner] = [`exporter_${process.pid}`, `owner_${process.pid}`]
  await sql`CREATE ROLE ${sql.id(exporter)} LOGIN PASSWORD 'exporter'`.execute(db)
  await sql`CREATE ROLE ${sql.id(owner)}`.execute(db)
  t.teardown(async () => {
    await sql`DROP OWNED BY ${sql.id(exporter)}, ${sql.id(owner)} CASCADE`.execute(db)
    await sql`DROP ROLE ${sql.id(exporter)}, ${sql.id(owner)}`.execute(db)
  })
  await sql`GRANT pg_read_all_stats, pg_read_all_data, pg_write_all_data TO ${sql.id(exporter)}`.execute(db)
  await sql`GRANT pg_read_all_data TO ${sql.id(owner)}`.execute(db)
  await sql`GRANT ALL ON SCHEMA source TO ${sql.id(owner)}`.execute(db)
  const url = new URL(environment.DATABASE_URL ?? '')
  url.username = exporter
  url.password = 'exporter'
  return { exporter, owner, url: url.href }
}

/** Puts a view of its name over a relation, in which one column is something else. */
async function replaceByView ({ db }: Service, relation: string, column: string, expression: string): Promise<void> {
  const { rows: [found] } = await sql<{ columns: string }>`
    SELECT string_agg(CASE WHEN attname = ${column} THEN ${expression} || ' AS ' || attname ELSE attname::text END, ', ' ORDER BY attnum)
      AS columns
    FROM pg_attribute WHERE attrelid = ${`source.${relation}`}::regclass AND attnum > 0 AND NOT attisdropped`.execute(db)
  await sql`CREATE SCHEMA kept; GRANT USAGE ON SCHEMA kept TO PUBLIC`.execute(db)
  await sql`ALTER TABLE ${sql.table(`source.${relation}`)} SET SCHEMA kept`.execute(db)
  await sql`CREATE VIEW ${sql.table(`source.${relation}`)} AS SELECT ${sql.raw(found?.columns ?? '')}
    FROM ${sql.table(`kept.${relation}`)}`.execute(db)
}

t.test('row-level security that comes while a worker runs: the export fails and says why', async (t) => {
  const service = await openWith(t, 5)
  const { db } = service
  const { url } = await givenRoles(t, service)
  await service.startWorker({ DATABASE_URL: url })
  t.match(await service.run(), { status: 'completed', exported_resources: 20 })

  await sql`ALTER TABLE source.patients ENABLE ROW LEVEL SECURITY`.execute(db)
  const failed = await service.run({ types: ['Consent', 'Patient'] })
  t.match(failed, { status: 'failed', failures: 1, failure_reason: /^source\.(patients|consents) is under row-level security.*BYPASSRLS/ })
})

t.test('a worker does not start where row-level security would hide rows, be it behind a view', async (t) => {
  const service = await openService(t)
  const { db } = service
  const { url, owner } = await givenRoles(t, service)
  await sql`ALTER TABLE source.consents ENABLE ROW LEVEL SECURITY`.execute(db)
  await sql`CREATE POLICY most ON source.consents USING (id <> 'c1')`.execute(db)
  await t.rejects(service.startWorker({ DATABASE_URL: url }),
    { code: 'SOURCE_MISMATCH', message: /source\.consents is under row-level security/ })

  await replaceByView(service, 'consents', 'status', 'status')
  await sql`ALTER VIEW source.consents OWNER TO ${sql.id(owner)}`.execute(db)
  await t.rejects(service.startWorker({ DATABASE_URL: url }),
    { code: 'SOURCE_MISMATCH', message: /source\.consents is under row-level security/ })
  await sql`ALTER ROLE ${sql.id(owner)} BYPASSRLS`.execute(db)
  await (await service.startWorker({ DATABASE_URL: url })).close()
})

t.test('a row of a view that cannot be read ends the export with the name of the relation, and not its value', async (t) => {
  const service = await openWith(t, 5)
  const secret = 'Family3-1980'
  await replaceByView(service, 'patients', 'birth_date', `CASE id WHEN 'p3' THEN '${secret}' ELSE '1980-01-01' END::date::text`)
  await service.startWorker()
  const failed = await service.run({ types: ['Patient', 'Consent'] })
  t.match(failed, {
    status: 'failed', failures: 1,
    failure_reason: 'source.patients holds a value that PostgreSQL cannot convert (SQLSTATE 22007)'
  })
  t.notMatch(failed.failure_reason, secret)
  t.match(await service.run({ types: ['Consent'] }), { status: 'completed', exported_resources: 5 })
  t.equal((await keptKeys(service.store)).length, 1)
})

t.test('where PostgreSQL says which column, the reason does', async (t) => {
  const service = await openWith(t, 2)
  await sql`CREATE FUNCTION source.judge(value text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN RAISE check_violation USING MESSAGE = value, COLUMN = 'gender', TABLE = 'person'; END $$`.execute(service.db)
  await replaceByView(service, 'patients', 'gender', 'source.judge(gender)')
  await service.startWorker({ EXPORT_ATTEMPTS: '1' })
  t.match(await service.run({ types: ['Patient'] }),
    { status: 'failed', failure_reason: 'column gender of source.patients could not be read (SQLSTATE 23514)' })
})
