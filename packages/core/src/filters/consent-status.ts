import { toDay } from './match.ts'

/**
 * Consent.status as it is exported (fhir/consent.ts): `revoked` is inactive, and so is what is active but past its period. The
 * period's end is text in FHIR's spelling or PostgreSQL's. It is not cast, since a cast fails on what is no time: a date is
 * compared as text, and a time put together from its parts.
 */
const end = "coalesce(nullif(r.period_end::text, ''), r.provision::jsonb #>> '{period,end}')"
const asOf = "(SELECT current_setting('fhir_bulk_export.as_of'))"
const part = (from: number, length: number) => `substr(${end}, ${from}, ${length})::int`
const zone = `substring(${end} from '([+-][0-9:]+)$')`
const minutes = `coalesce(nullif(substr(replace(${zone}, ':', ''), 4), '')::int, 0)`
const offset = `coalesce(CASE left(${zone}, 1) WHEN '-' THEN -1 ELSE 1 END * make_interval(hours => substr(${zone}, 2, 2)::int, mins => ${minutes}), '0')`
const seconds = `substring(${end} from '^.{17}([0-9]{2}([.][0-9]+)?)')::float8`
const time = `(make_timestamp(${part(1, 4)}, ${part(6, 2)}, 1, 0, 0, 0)
  + make_interval(days => ${part(9, 2)} - 1, hours => ${part(12, 2)}, mins => ${part(15, 2)}, secs => ${seconds}) - ${offset})`

const isPast = `CASE
  WHEN ${end} ~ '^[0-9]{4}(-[0-9]{2}){0,2}$' THEN ${toDay(end, '-12-31')} < left(${asOf}, 10)
  WHEN ${end} ~ '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$'
    THEN ${time} < ${asOf}::timestamptz AT TIME ZONE 'UTC'
  ELSE false
END`

export const consentStatus = `CASE WHEN r.status::text = 'revoked' OR (r.status::text = 'active' AND ${isPast}) THEN 'inactive' ELSE r.status::text END`
