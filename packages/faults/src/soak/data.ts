import type { Database } from '@fhir-bulk-export/core/db'
import { sql, type Kysely } from 'kysely'

/**
 * Rows are known by their ids. Patient 7 is p7 with d7, c7, e7 and o7 (document, consent, provenance, and an observation in `resource`),
 * which are changed and never deleted: every export has them. mp7, md7… come, go and come back. bad-p7… cannot be exported, and are told in
 * the error list.
 */
export const patients = 3_000
export const moving = 2_000
export const movingAtStart = 200
export const poisoned = 5
/** Consents of patient q that only a `_typeFilter` keeps away: too many for an export. */
const quarantined = 150
export const maxRowErrors = 100
export const groupId = 'g'
export const groupMembers = 50

export const letters: Record<string, string> = { Patient: 'p', DocumentReference: 'd', Consent: 'c', Provenance: 'e', Observation: 'o' }
export const types = Object.keys(letters)
export const relations = { p: 'patients', d: 'medical_records', c: 'consents', e: 'provenance_events', o: 'observation' } as const

/** Without this filter an export fails by design. */
export const readableConsents = 'Consent?status=draft,proposed,active,rejected,inactive,entered-in-error'

/** Patients `from` to `to` of a kind (its ids' prefix), each with a row in every relation. */
export async function insertPatients (db: Kysely<Database>, prefix: '' | 'm', from: number, to: number): Promise<void> {
  const id = (letter: string) => sql`${prefix}::text || ${letter}::text || i`
  const series = sql`generate_series(${from}::int, ${to}::int) i ON CONFLICT (id) DO NOTHING`
  await sql`INSERT INTO source.patients (id, name, gender, birth_date, multiple_birth_order)
    SELECT ${id('p')}, jsonb_build_array(jsonb_build_object('family', 'Family' || i)), 'other', '1980-01', 1 FROM ${series}`.execute(db)
  await sql`INSERT INTO source.medical_records (id, patient_id, status, description, content)
    SELECT ${id('d')}, ${id('p')}, 'current', 'v1', jsonb_build_array(jsonb_build_object('attachment',
      jsonb_build_object('contentType', 'text/plain',
      'data', replace(encode(convert_to(repeat(md5(i::text), 60), 'UTF8'), 'base64'), E'\n', '')))) FROM ${series}`.execute(db)
  await sql`INSERT INTO source.consents (id, patient_id, status, decision) SELECT ${id('c')}, ${id('p')}, 'active', 'permit'
    FROM ${series}`.execute(db)
  await sql`INSERT INTO source.provenance_events (id, patient_id, target, recorded, agent, action)
    SELECT ${id('e')}, ${id('p')}, jsonb_build_array(jsonb_build_object('reference', 'Patient/' || ${id('p')})), now(),
      '[{"who":{"display":"Registry"}}]', 'CREATE'
    FROM ${series}`.execute(db)
  await sql`INSERT INTO source.observation (id, patient_id, resource)
    SELECT ${id('o')}, ${id('p')}, json_build_object('resourceType', 'Observation', 'status', 'final', 'code',
      json_build_object('text', 'Pulse'),
      'subject', json_build_object('reference', 'Patient/' || ${id('p')}), 'valueQuantity',
        json_build_object('value', (i || '.50')::numeric, 'unit', '/min')) FROM ${series}`.execute(db)
}

export async function givenData (db: Kysely<Database>): Promise<void> {
  await sql`SELECT source.create_relation('observation')`.execute(db)
  await insertPatients(db, '', 1, patients)
  await insertPatients(db, 'm', 1, movingAtStart)
  await sql`INSERT INTO source.patients (id, gender) SELECT 'bad-p' || i, 'none of the four'
    FROM generate_series(1, ${poisoned}::int) i`.execute(db)
  await sql`INSERT INTO source.medical_records (id, patient_id, status) SELECT 'bad-d' || i, 'p1', 'lost'
    FROM generate_series(1, ${poisoned}::int) i`.execute(db)
  await sql`INSERT INTO source.consents (id, patient_id, status, date_time) SELECT 'bad-c' || i, 'p1', 'active', 'some day'
    FROM generate_series(1, ${poisoned}::int) i`.execute(db)
  await sql`INSERT INTO source.provenance_events (id, patient_id, target, recorded, action)
    SELECT 'bad-e' || i, 'p1', '[{"reference":"Patient/p1"}]', now(), 'VIEW' FROM generate_series(1, ${poisoned}::int) i`.execute(db)
  await sql`INSERT INTO source.observation (id, patient_id, resource) SELECT 'bad-o' || i, 'p1',
    '{"resourceType":"Observation","code":{"text":"Pulse"}}' FROM generate_series(1, ${poisoned}::int) i`.execute(db)
  await sql`INSERT INTO source.patients (id) VALUES ('q')`.execute(db)
  await sql`INSERT INTO source.consents (id, patient_id, status) SELECT 'q' || i, 'q', 'quarantined'
    FROM generate_series(1, ${quarantined}::int) i`.execute(db)
  await sql`INSERT INTO source.patient_groups (id, name) VALUES (${groupId}, 'Some of them')`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) SELECT 'm' || i, ${groupId}, 'p' || i
    FROM generate_series(1, ${groupMembers}::int) i`.execute(db)
}
