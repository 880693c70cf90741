import type { Selection } from './selection.ts'

/** SQL for the range of time that a date's JSON `x` stands for; its end is exclusive. The functions of the migration never fail. */
const ranges: Readonly<Record<string, [from: string, to: string]>> = {
  date: ["fhir_bulk_export.date_from(x #>> '{}')", "fhir_bulk_export.date_to(x #>> '{}')"],
  Period: [
    "coalesce(fhir_bulk_export.date_from(x ->> 'start'), '-infinity')",
    "coalesce(fhir_bulk_export.date_to(x ->> 'end'), 'infinity')",
  ],
  // Only the outer limits matter (https://hl7.org/fhir/R4/search.html#date).
  Timing: [
    `least((SELECT min(fhir_bulk_export.date_from(e #>> '{}')) FROM jsonb_path_query(x, '$."event"[*]') e),
      fhir_bulk_export.date_from(x #>> '{repeat,boundsPeriod,start}'))`,
    `greatest((SELECT max(fhir_bulk_export.date_to(e #>> '{}')) FROM jsonb_path_query(x, '$."event"[*]') e),
      fhir_bulk_export.date_to(x #>> '{repeat,boundsPeriod,end}'))`,
  ],
}

/** Whether the range from `f` up to `t` fits the filter's, `q.from` up to `q.to` (https://hl7.org/fhir/R4/search.html#prefix). */
const isMatch = `CASE q.prefix
  WHEN 'eq' THEN q."from" <= f AND t <= q."to"
  WHEN 'ne' THEN NOT (q."from" <= f AND t <= q."to")
  WHEN 'gt' THEN t > q."to"
  WHEN 'lt' THEN f < q."from"
  WHEN 'ge' THEN t > q."to" OR (q."from" <= f AND t <= q."to")
  WHEN 'le' THEN f < q."from" OR (q."from" <= f AND t <= q."to")
  WHEN 'sa' THEN f >= q."to"
  WHEN 'eb' THEN t <= q."from"
  WHEN 'ap' THEN f < q."to" AND t > q."from" END`

/** `values`: SQL for jsonb, a list of DateRange. */
export function toDateCondition (document: string, { path, datatype }: Selection, values: string): string {
  const [from, to] = ranges[datatype] ?? ranges.date!
  return `EXISTS (SELECT FROM jsonb_path_query(${document}, '${path}[*]') AS v (x),
    LATERAL (SELECT ${from}, ${to}) AS target (f, t), ${toAsked(values)} WHERE ${isMatch})`
}

/** The same of a timestamptz. */
export function toInstantCondition (instant: string, values: string): string {
  return `EXISTS (SELECT FROM (SELECT ${instant}, ${instant} + interval '1 microsecond') AS target (f, t),
    ${toAsked(values)} WHERE ${isMatch})`
}

function toAsked (values: string): string {
  return `jsonb_to_recordset(${values}) AS q (prefix text, "from" timestamptz, "to" timestamptz)`
}
