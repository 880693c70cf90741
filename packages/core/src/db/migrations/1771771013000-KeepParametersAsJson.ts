import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/**
 * An export's parameters become one JSON column, whose keys are the parameters' names, and `wire_profile` becomes `profile`.
 *
 * API and workers of the version before run on during an update, in any order with the new ones. Three triggers serve both versions:
 * an INSERT of the old API fills the new columns, a claim by an old worker fills the old columns before it reads them, and a claim by a
 * new worker, which names `parameters`, empties them again: nothing is stored twice. The next release drops triggers and old columns.
 */
export async function up (db: Kysely<unknown>): Promise<void> {
  await sql`
    ALTER TABLE bulk_export_jobs
      ADD parameters jsonb NOT NULL DEFAULT '{}',
      ADD profile text CHECK (profile IN ('status-in-body', 'respond-async', 'separate-export-status')),
      ALTER wire_profile DROP NOT NULL`.execute(db)
  await sql`UPDATE bulk_export_jobs AS job SET parameters = ${toParameters('job')}, profile = ${toProfile('job')}`.execute(db)
  await sql`ALTER TABLE bulk_export_jobs ALTER profile SET NOT NULL`.execute(db)

  await createTrigger(db, 'bulk_export_jobs_1_insert', 'INSERT', sql`
    IF NEW.profile IS NULL THEN
      NEW.profile := ${toProfile('NEW')};
      NEW.parameters := ${toParameters('NEW')};
    ELSE
      NEW.wire_profile := CASE NEW.profile WHEN 'status-in-body' THEN 'reference-card' ELSE NEW.profile END;
    END IF`)
  await createTrigger(db, 'bulk_export_jobs_2_claim_by_old_worker', 'UPDATE OF attempt', sql`
    NEW.since := (NEW.parameters ->> '_since')::timestamptz;
    NEW.until := (NEW.parameters ->> '_until')::timestamptz;
    NEW.elements := ${toTexts('_elements')};
    NEW.type_filters := ${toTexts('_typeFilter')};
    NEW.associated_data := ${toTexts('includeAssociatedData')};
    NEW.patient_ids := CASE WHEN NEW.parameters ? 'patient' THEN ${toTexts('patient')} END`)
  // Triggers fire in the order of their names.
  await createTrigger(db, 'bulk_export_jobs_3_claim_by_new_worker', 'UPDATE OF parameters', sql`
    NEW.since := NULL;
    NEW.until := NULL;
    NEW.elements := '{}';
    NEW.type_filters := '{}';
    NEW.associated_data := '{}';
    NEW.patient_ids := NULL`)
}

function toProfile (row: 'job' | 'NEW') {
  return sql.raw(`CASE ${row}.wire_profile WHEN 'reference-card' THEN 'status-in-body' ELSE ${row}.wire_profile END`)
}

/** An absent key is a parameter that was not given. An empty `patient` selects nobody. */
function toParameters (row: 'job' | 'NEW') {
  const toInstant = (column: string) => `to_char(${row}.${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
  const toList = (column: string) => `CASE WHEN ${row}.${column} <> '{}' THEN to_jsonb(${row}.${column}) END`
  return sql.raw(`jsonb_strip_nulls(jsonb_build_object(
    '_since', ${toInstant('since')}, '_until', ${toInstant('until')}, '_elements', ${toList('elements')}, '_typeFilter', ${toList('type_filters')},
    'includeAssociatedData', ${toList('associated_data')}, 'patient', to_jsonb(${row}.patient_ids)))`)
}

function toTexts (key: string) {
  return sql.raw(`ARRAY(SELECT jsonb_array_elements_text(coalesce(NEW.parameters -> '${key}', '[]')))`)
}

async function createTrigger (db: Kysely<unknown>, name: string, event: string, statements: ReturnType<typeof sql>): Promise<void> {
  await sql`
    CREATE FUNCTION ${sql.ref(name)}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
      ${statements};
      RETURN NEW;
    END
    $$`.execute(db)
  await sql`CREATE TRIGGER ${sql.ref(name)} BEFORE ${sql.raw(event)} ON bulk_export_jobs FOR EACH ROW EXECUTE FUNCTION ${sql.ref(name)}()`.execute(db)
}

/** The old columns of exports that no old worker has claimed are filled first. */
export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`UPDATE bulk_export_jobs SET attempt = attempt`.execute(db)
  for (const name of ['bulk_export_jobs_1_insert', 'bulk_export_jobs_2_claim_by_old_worker', 'bulk_export_jobs_3_claim_by_new_worker']) {
    await sql`DROP TRIGGER ${sql.ref(name)} ON bulk_export_jobs`.execute(db)
    await sql`DROP FUNCTION ${sql.ref(name)}()`.execute(db)
  }
  await sql`ALTER TABLE bulk_export_jobs DROP parameters, DROP profile, ALTER wire_profile SET NOT NULL`.execute(db)
}
