import type { Pool } from 'pg'

/**
 * Rows of the types with columns as real ones look (a Synthea patient's five identifiers, an inline note of some hundred bytes to
 * some kilobytes), made inside PostgreSQL: a million patients take half a minute. `from` and `to` number the patients.
 */
export async function seedPatients (pool: Pool, from: number, to: number): Promise<void> {
  await pool.query(`
    INSERT INTO source.patients (id, active, identifier, name, telecom, gender, birth_date, deceased_date_time, address, marital_status,
      multiple_birth, communication)
    SELECT
      md5(i::text)::uuid::text,
      true,
      jsonb_build_array(
        jsonb_build_object('system', 'https://github.com/synthetichealth/synthea', 'value', md5(i::text)::uuid),
        jsonb_build_object('type', ${identifierType('MR', 'Medical Record Number')}, 'system', 'http://hospital.smarthealthit.org',
          'value', md5(i::text)::uuid),
        jsonb_build_object('type', ${identifierType('SS', 'Social Security Number')}, 'system', 'http://hl7.org/fhir/sid/us-ssn', 'value',
          '999-' || lpad((i % 100)::text, 2, '0') || '-' || lpad((i % 10000)::text, 4, '0'))),
      jsonb_build_array(jsonb_build_object('use', 'official', 'family', 'Medhurst' || i % 977, 'given',
        jsonb_build_array('Sumiko' || i % 271, 'Larue' || i % 613), 'prefix', jsonb_build_array('Mrs.'))),
      jsonb_build_array(jsonb_build_object('system', 'phone', 'value', '555-' || lpad((i % 1000)::text, 3,
        '0') || '-' || lpad((i % 9973)::text, 4, '0'), 'use', 'home')),
      (ARRAY['female', 'male', 'other', 'unknown'])[1 + i % 4],
      (date '1930-01-01' + i % 33000)::text,
      CASE WHEN i % 10 = 0 THEN '2019-05-09T20:35:22-04:00' END,
      jsonb_build_array(jsonb_build_object('line', jsonb_build_array(i % 999 || ' Abernathy Landing'), 'city', 'Emporia', 'state', 'KS',
        'postalCode', '66801', 'country', 'US')),
      jsonb_build_object('coding', jsonb_build_array(jsonb_build_object('system', 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus',
        'code', 'M', 'display', 'Married')), 'text', 'Married'),
      false,
      jsonb_build_array(jsonb_build_object('language', jsonb_build_object('coding',
        jsonb_build_array(jsonb_build_object('system', 'urn:ietf:bcp:47', 'code', 'en-US', 'display', 'English (United States)')), 'text',
        'English (United States)')))
    FROM generate_series($1::int, $2::int) AS i`, [from, to])
}

/** Patients of a name and a birth date, for counting rather than for weight. */
export async function seedSmallPatients (pool: Pool, from: number, to: number): Promise<void> {
  await pool.query(`INSERT INTO source.patients (id, name, gender, birth_date)
    SELECT 'small-' || i, jsonb_build_array(jsonb_build_object('family', 'Medhurst' || i % 977)), 'unknown',
      (date '1930-01-01' + i % 33000)::text
    FROM generate_series($1::int, $2::int) AS i`, [from, to])
}

/** One document, consent and provenance for each of the patients. */
export async function seedRecords (pool: Pool, from: number, to: number): Promise<void> {
  for (const seed of [seedDocuments, seedConsents, seedProvenance]) await seed(pool, from, to)
}

export async function seedDocuments (pool: Pool, from: number, to: number): Promise<void> {
  await pool.query(`
    INSERT INTO source.medical_records (id, patient_id, identifier, status, type, category, date, author, custodian, content, period_start,
      period_end)
    SELECT
      md5('d' || i)::uuid::text, md5(i::text)::uuid::text,
      jsonb_build_array(jsonb_build_object('system', 'urn:ietf:rfc:3986', 'value', 'urn:uuid:' || md5('d' || i)::uuid)),
      'current',
      jsonb_build_object('coding', jsonb_build_array(
        jsonb_build_object('system', 'http://loinc.org', 'code', '34117-2', 'display', 'History and physical note'),
        jsonb_build_object('system', 'http://loinc.org', 'code', '51847-2', 'display', 'Evaluation + Plan note'))),
      jsonb_build_array(jsonb_build_object('coding', jsonb_build_array(jsonb_build_object('system',
        'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category', 'code', 'clinical-note', 'display',
        'Clinical Note')))),
      timestamptz '2000-01-01' + i % 200000 * interval '1 hour',
      jsonb_build_array(jsonb_build_object('type', 'Practitioner', 'identifier',
        jsonb_build_object('system', 'http://hl7.org/fhir/sid/us-npi', 'value', '9999974592'), 'display', 'Dr. Liane379 Kunze215')),
      jsonb_build_object('type', 'Organization', 'identifier', jsonb_build_object('system', 'https://github.com/synthetichealth/synthea',
        'value', md5('o')::uuid), 'display', 'NEWMAN REGIONAL HEALTH'),
      jsonb_build_array(jsonb_build_object(
        'attachment', jsonb_build_object('contentType', 'text/plain; charset=utf-8', 'data',
          translate(encode(convert_to(repeat('Patient ' || md5(i::text) || ' is seen today. ', 5 + i % 40), 'UTF8'), 'base64'), E'\\n',
          '')),
        'format', jsonb_build_object('system', 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode', 'code',
          'urn:ihe:iti:xds:2017:mimeTypeSufficient', 'display', 'mimeType Sufficient'))),
      '2019-03-12T18:31:16-04:00', '2019-03-12T19:31:16-04:00'
    FROM generate_series($1::int, $2::int) AS i`, [from, to])
}

export async function seedConsents (pool: Pool, from: number, to: number): Promise<void> {
  await pool.query(`
    INSERT INTO source.consents (id, patient_id, status, date_time, decision, recipients, period_start, period_end)
    SELECT md5('c' || i)::uuid::text, md5(i::text)::uuid::text, 'active', '2020-05', CASE i % 2 WHEN 0 THEN 'permit' ELSE 'deny' END,
      jsonb_build_array(jsonb_build_object('type', 'Organization', 'display', 'NEWMAN REGIONAL HEALTH')), '2020-05-01', '2040-05-01'
    FROM generate_series($1::int, $2::int) AS i`, [from, to])
}

export async function seedProvenance (pool: Pool, from: number, to: number): Promise<void> {
  await pool.query(`
    INSERT INTO source.provenance_events (id, patient_id, target, recorded, action, agent)
    SELECT md5('e' || i)::uuid::text, md5(i::text)::uuid::text, jsonb_build_array(jsonb_build_object('reference',
      'DocumentReference/' || md5('d' || i)::uuid)),
      timestamptz '2000-01-01' + i % 200000 * interval '1 hour', 'CREATE',
      jsonb_build_array(jsonb_build_object('type', jsonb_build_object('coding',
        jsonb_build_array(jsonb_build_object('system', 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', 'code',
        'author', 'display', 'Author'))),
        'who', jsonb_build_object('type', 'Practitioner', 'display', 'Dr. Liane379 Kunze215')))
    FROM generate_series($1::int, $2::int) AS i`, [from, to])
}

function identifierType (code: string, display: string): string {
  return `jsonb_build_object('coding', jsonb_build_array(jsonb_build_object('system', 'http://terminology.hl7.org/CodeSystem/v2-0203',
    'code', '${code}', 'display', '${display}')), 'text', '${display}')`
}
