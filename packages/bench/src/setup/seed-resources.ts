import type { Pool } from 'pg'

/* Rows with `resource`, FHIR's own JSON, one for each of the patients; `from` and `to` number them. */

/** A laboratory result for each of the patients, in FHIR's own JSON. */
export async function seedObservations (pool: Pool, from: number, to: number): Promise<void> {
  await pool.query("SELECT source.create_relation('observation')")
  await pool.query(`
    INSERT INTO source.observation (id, patient_id, resource)
    SELECT md5('o' || i)::uuid::text, md5(i::text)::uuid::text, json_build_object(
      'resourceType', 'Observation', 'id', md5('o' || i)::uuid, 'status', 'final',
      'category', json_build_array(json_build_object('coding', json_build_array(json_build_object(
        'system', 'http://terminology.hl7.org/CodeSystem/observation-category', 'code', 'laboratory', 'display', 'Laboratory')))),
      'code', json_build_object('coding', json_build_array(json_build_object(
        'system', 'http://loinc.org', 'code', '2160-0', 'display', 'Creatinine [Mass/volume] in Serum or Plasma')), 'text', 'Creatinine'),
      'subject', json_build_object('reference', 'Patient/' || md5(i::text)::uuid),
      'encounter', json_build_object('reference', 'Encounter/' || md5('v' || i)::uuid),
      'effectiveDateTime', '2019-03-12T18:31:16-04:00', 'issued', '2019-03-12T18:31:16.409-04:00',
      'valueQuantity', json_build_object(
        'value', round((0.5 + i % 200 / 100.0)::numeric, 2), 'unit', 'mg/dL', 'system', 'http://unitsofmeasure.org', 'code', 'mg/dL'),
      'referenceRange', json_build_array(json_build_object(
        'low', json_build_object('value', 0.60, 'unit', 'mg/dL'), 'high', json_build_object('value', 1.30, 'unit', 'mg/dL'))))
    FROM generate_series($1::int, $2::int) AS i`, [from, to])
}

/** A visit for each of the patients. */
export async function seedEncounters (pool: Pool, from: number, to: number): Promise<void> {
  await seed(pool, 'encounter', {
    resourceType: 'Encounter',
    id: '%1$s',
    meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter'] },
    identifier: [{ use: 'official', system: 'https://github.com/synthetichealth/synthea', value: '%1$s' }],
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    type: [{ coding: [{ system: 'http://snomed.info/sct', code: '%3$s', display: 'Encounter for check up' }], text: 'Check up' }],
    subject: { reference: 'Patient/%2$s', display: 'Mrs. Sumiko Medhurst' },
    participant: [{ individual: { reference: 'Practitioner/%2$s', display: 'Dr. Liane379 Kunze215' } }],
    period: { start: '%4$sT18:31:16-04:00', end: '%4$sT18:46:16-04:00' },
    serviceProvider: { reference: 'Organization/%2$s', display: 'NEWMAN REGIONAL HEALTH' },
  }, from, to)
}

/** A diagnosis for each of the patients. */
export async function seedConditions (pool: Pool, from: number, to: number): Promise<void> {
  await seed(pool, 'condition', {
    resourceType: 'Condition',
    id: '%1$s',
    clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
    verificationStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }] },
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'encounter-diagnosis' }] }],
    code: { coding: [{ system: 'http://snomed.info/sct', code: '%3$s', display: 'Disorder number %3$s' }], text: 'Disorder' },
    subject: { reference: 'Patient/%2$s' },
    encounter: { reference: 'Encounter/%1$s' },
    onsetDateTime: '%4$sT18:31:16-04:00',
    recordedDate: '%4$sT18:31:16-04:00',
  }, from, to)
}

/** In the resource: `%1$s` its id, `%2$s` the patient's, `%3$s` one of 300 codes, `%4$s` a day. */
async function seed (pool: Pool, relation: string, resource: object, from: number, to: number): Promise<void> {
  await pool.query('SELECT source.create_relation($1)', [relation])
  await pool.query(`
    INSERT INTO source.${relation} (id, patient_id, resource)
    SELECT id, patient_id, format($3, id, patient_id, 185000000 + i % 300, date '2000-01-01' + i % 9000)::json
    FROM generate_series($1::int, $2::int) AS i, md5($4 || i) AS hash, md5(i::text) AS owner,
      LATERAL (SELECT hash::uuid::text AS id, owner::uuid::text AS patient_id) AS ids`, [from, to, JSON.stringify(resource), relation])
}
