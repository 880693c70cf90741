import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import t from 'tap'
import { migrations } from '../../src/db/migrations/index.ts'
import { claimExport, readStoredParameters } from '../../src/exports/index.ts'
import { givenExport, openTestDatabase, readExportRow } from '../fixtures/database.ts'

/** Processes of the version before run on during an update: their statements are written out here. */

const claimOptions = { leaseMs: 60_000, maxFailures: 3, ttlMs: 60_000 }
const parameters = {
  _since: '2024-01-31T09:30:00.123456Z',
  _until: '2024-02-01T00:00:00.000001Z',
  _elements: ['id', 'Patient.name'],
  _typeFilter: ['Patient?name="a, b"'],
  includeAssociatedData: ['LatestProvenanceResources'],
  patient: ['p1', 'p2'],
}
const columns = {
  wire_profile: 'reference-card',
  since: '2024-01-31 09:30:00.123456+00',
  until: '2024-02-01 00:00:00.000001+00',
  elements: parameters._elements,
  type_filters: parameters._typeFilter,
  associated_data: parameters.includeAssociatedData,
  patient_ids: parameters.patient,
}

type Db = Awaited<ReturnType<typeof openTestDatabase>>

async function insertAsBefore (db: Db, row: Partial<typeof columns>): Promise<string> {
  const id = randomUUID()
  const values = { id, request: '', requester_role: 'ADMIN', requester: id, issuer: '', types: ['Patient'], ...row }
  await sql`INSERT INTO bulk_export_jobs (${sql.join(Object.keys(values).map((name) => sql.ref(name)))}) VALUES
    (${sql.join(Object.values(values))})`.execute(db)
  return id
}

async function claimAsBefore (db: Db, id: string): Promise<Partial<typeof columns> | undefined> {
  const { rows: [row] } = await sql<Partial<typeof columns>>`
    UPDATE bulk_export_jobs SET status = 'in_progress', attempt = attempt + 1, available_at = now() WHERE id = ${id}
    RETURNING wire_profile, since::text, until::text, elements, type_filters, associated_data, patient_ids`.execute(db)
  return row
}

async function claim (db: Db, id: string) {
  const claimed = await claimExport(db, id, claimOptions)
  if (claimed.outcome !== 'claimed') throw new Error(`the export is ${claimed.outcome}`)
  return claimed.export
}

t.test('an export of the API before is run by this worker with all of its parameters', async (t) => {
  const db = await openTestDatabase(t)
  const full = await claim(db, await insertAsBefore(db, columns))
  t.strictSame(readStoredParameters(full.parameters), parameters)
  t.equal(full.profile, 'status-in-body')
  const plain = await claim(db, await insertAsBefore(db, { wire_profile: 'separate-export-status' }))
  t.strictSame(readStoredParameters(plain.parameters), {})
  t.equal(plain.profile, 'separate-export-status')
  const nobody = await claim(db, await insertAsBefore(db, { wire_profile: 'respond-async', patient_ids: [] }))
  t.strictSame(readStoredParameters(nobody.parameters), { patient: [] }, 'nobody, and not everybody')
})

t.test('an export of this API is run by a worker before with all of its parameters, and handed on to this one', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db, parameters)
  t.match(await readExportRow(db, id), { since: null, type_filters: [], patient_ids: null, wire_profile: 'reference-card' },
    'nothing is stored twice')
  t.strictSame(await claimAsBefore(db, id), columns)
  t.strictSame(readStoredParameters((await claim(db, id)).parameters), parameters)
  t.match(await readExportRow(db, id), { since: null, until: null, elements: [], type_filters: [], associated_data: [], patient_ids: null })
  t.strictSame(await claimAsBefore(db, await givenExport(db, { profile: 'respond-async', patient: [] })), {
    wire_profile: 'respond-async', since: null, until: null, elements: [], type_filters: [], associated_data: [], patient_ids: [],
  })
})

t.test('the migration keeps what exports asked for, in both directions', async (t) => {
  const db = await openTestDatabase(t)
  const migrator = new Migrator({
    db, provider: { getMigrations: async () => migrations }, migrationTableName: 'bulk_export_migration',
    migrationLockTableName: 'bulk_export_migration_lock',
  })
  const id = await givenExport(db, parameters)
  const { error } = await migrator.migrateTo('1771771012000-RecordWhoDidWhat')
  t.equal(error, undefined)
  t.strictSame(await claimAsBefore(db, id), columns)
  t.equal((await migrator.migrateToLatest()).error, undefined)
  t.strictSame(readStoredParameters((await claim(db, id)).parameters), parameters)
})

t.test('a parameter that this version does not know is refused, and not ignored', async (t) => {
  for (const stored of [{ _unknown: 'x' }, { _since: 1 }, { patient: 'p1' }, null]) {
    t.throws(() => readStoredParameters(stored), { code: 'SCHEMA_MISMATCH' })
  }
})
