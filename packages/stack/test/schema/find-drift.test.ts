import t from 'tap'
import { findDrift } from '../../src/schema/find-drift.ts'
import { readTableTypes } from '../../src/schema/read-table-types.ts'
import { execute } from '../../src/sql.ts'
import { createTestDatabase } from '../../src/testing.ts'
import { inRepository } from '../../src/workspace.ts'

const types = readTableTypes(inRepository('packages/core/src/db'))

t.test('types are those that Kysely derives', async t => {
  t.strictSame(types.get('bulk_export_files.wrapped_key'), { type: 'Buffer', nullable: true, optional: true })
  t.strictSame(types.get('bulk_export_jobs.patient_ids'), { type: 'string[]', nullable: true, optional: true })
  t.strictSame(types.get('bulk_export_jobs.requester'), { type: 'string', nullable: false, optional: false })
  t.strictSame(types.get('bulk_export_jobs.available_at'), { type: 'Date', nullable: false, optional: true })
  t.strictSame(types.get('bulk_export_jobs.leased'), { type: 'boolean', nullable: false, optional: true })
  t.strictSame(types.get('bulk_export_files.list'), {
    type: 'string', nullable: false, optional: false, values: ['output', 'deleted', 'error'],
  })
})

t.test('the migrated database is as the types say', async t => {
  t.strictSame(await findDrift(await createTestDatabase(t), types), [])
})

t.test('every way in which a column can differ is named', async t => {
  const url = await createTestDatabase(t)
  await execute(url, `
    CREATE TABLE forgotten (id uuid PRIMARY KEY);
    ALTER TABLE bulk_export_downloads DROP COLUMN lease_until;
    ALTER TABLE bulk_export_files ALTER COLUMN n TYPE text, ALTER COLUMN sha256 TYPE json USING NULL;
    ALTER TABLE bulk_export_jobs ALTER COLUMN issuer DROP NOT NULL, ALTER COLUMN failures DROP DEFAULT,
      DROP CONSTRAINT bulk_export_jobs_level_check,
      DROP CONSTRAINT bulk_export_jobs_requester_role_check, ADD CHECK (requester_role IN ('ADMIN', 'PATIENT', 'NURSE'))`)
  t.strictSame((await findDrift(url, types)).sort(), [
    'bulk_export_downloads.lease_until has a type, and the migrated database has no such column',
    'bulk_export_files.n is text, and its type number',
    'bulk_export_files.sha256 is json, for which packages/stack/src/schema/find-drift.ts knows no type',
    'bulk_export_jobs.failures must not be left out of an INSERT, and its type says otherwise',
    'bulk_export_jobs.issuer may be left out of an INSERT, and its type says otherwise',
    'bulk_export_jobs.issuer may be null, and its type says otherwise',
    'bulk_export_jobs.level may be any text by its CHECK, and system, patient, group by its type',
    'bulk_export_jobs.requester_role may be ADMIN, PATIENT, NURSE by its CHECK, and ADMIN, PATIENT by its type',
    'forgotten.id is in the migrated database, and has no type in packages/core/src/db/tables',
  ])
})
