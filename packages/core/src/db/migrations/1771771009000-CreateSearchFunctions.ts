import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/**
 * What searches ask of texts of a resource (search/). Each takes any text and fails on none; NULL is the answer for what is no date. They are immutable, so that a site
 * can have indexes on them, and in a schema of their own, so that no search_path hides them.
 */
export async function up (db: Kysely<unknown>): Promise<void> {
  // Some collations lower ASCII alone; these, as far as the server has one, lower every script.
  const { rows: [collation] } = await sql<{ name: string }>`
    SELECT quote_ident(collname) AS name FROM pg_collation
    WHERE collnamespace = 'pg_catalog'::regnamespace AND collname = ANY (ARRAY['pg_c_utf8', 'und-x-icu', 'C.utf8', 'en_US.utf8'])
    ORDER BY array_position(ARRAY['pg_c_utf8', 'und-x-icu', 'C.utf8', 'en_US.utf8'], collname::text) LIMIT 1`.execute(db)
  const lowered = sql.raw(collation === undefined ? '' : ` COLLATE ${collation.name}`)
  await sql`
    CREATE SCHEMA IF NOT EXISTS fhir_bulk_export;
    GRANT USAGE ON SCHEMA fhir_bulk_export TO PUBLIC;

    -- The first instant of a FHIR date, dateTime or instant, which may be partial; without a zone it is UTC.
    CREATE FUNCTION fhir_bulk_export.date_from (value text) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT CASE
        WHEN length(value) > 64 THEN NULL
        WHEN value ~ '^[0-9]{4}$' THEN
          CASE WHEN value > '0000' THEN (value || '-01-01T00:00:00Z')::timestamptz END
        WHEN value ~ '^[0-9]{4}-(0[1-9]|1[0-2])$' THEN
          CASE WHEN value > '0001' THEN (value || '-01T00:00:00Z')::timestamptz END
        WHEN value ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00))?$' THEN
          CASE WHEN value > '0001' AND substr(value, 9, 2)::int <=
              CASE WHEN substr(value, 6, 2) IN ('04', '06', '09', '11') THEN 30
                WHEN substr(value, 6, 2) <> '02' THEN 31
                WHEN substr(value, 1, 4)::int % 4 = 0 AND (substr(value, 1, 4)::int % 100 <> 0 OR substr(value, 1, 4)::int % 400 = 0) THEN 29
                ELSE 28 END
            THEN (CASE length(value) WHEN 10 THEN value || 'T00:00:00Z' ELSE value END)::timestamptz END
      END
    $$;

    -- Where it ends: the first instant that is no longer in it.
    CREATE FUNCTION fhir_bulk_export.date_to (value text) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT (fhir_bulk_export.date_from(value) AT TIME ZONE 'UTC' + CASE length(value)
        WHEN 4 THEN interval '1 year'
        WHEN 7 THEN interval '1 month'
        WHEN 10 THEN interval '1 day'
        ELSE greatest(interval '1 second' / power(10, coalesce(length(substring(value FROM '\\.([0-9]+)')), 0)), interval '1 microsecond')
      END) AT TIME ZONE 'UTC'
    $$;

    -- A text without case and accents (https://hl7.org/fhir/R4/search.html#string).
    CREATE FUNCTION fhir_bulk_export.fold (value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT lower(regexp_replace(normalize(value, NFD), '[\\u0300-\\u036f]', '', 'g')${lowered})
    $$`.execute(db)
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`
    DROP FUNCTION fhir_bulk_export.fold (text);
    DROP FUNCTION fhir_bulk_export.date_to (text);
    DROP FUNCTION fhir_bulk_export.date_from (text)`.execute(db)
}
