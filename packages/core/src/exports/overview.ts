import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Database } from '../db/database.ts'
import type { ExportRow } from '../db/tables/bulk-export-jobs.ts'
import type { ExportStatus } from '../vocabulary.ts'

/* All exports as an operator may see them: without anything that names a patient, or that a caller sent but the types. */

const columns = [
  'id', 'status', 'level', 'requester_role', 'types', 'created_at', 'started_at', 'ended_at', 'dropped_at', 'attempt', 'failures',
  'progress', 'total_resources', 'exported_resources', 'failure_reason',
] as const satisfies Array<keyof ExportRow>

/**
 * `running`: a worker has it. `client` and `subject` are those of the token, from the audit; the subject of a PATIENT may be the
 * patient, and is left out. `files` and `bytes`: what is kept of it now. `instant`: `created_at` to the microsecond.
 */
export type ExportOverview = Pick<ExportRow, (typeof columns)[number]> &
  { running: boolean, client: string | null, subject: string | null, files: number, bytes: number, instant: string }

/** The last export of a page. */
export type PageEnd = Pick<ExportOverview, 'instant' | 'id'>

const alive = sql`(j.expires_at IS NULL OR j.expires_at > now())`

/** A page of all exports that have not expired, the newest first, from after `after` on. */
export async function findExportOverviews (
  db: Kysely<Database>, { status, after, limit }: { status?: ExportStatus | undefined, after?: PageEnd | undefined, limit: number }
): Promise<ExportOverview[]> {
  const isAfter = after === undefined ? sql`true` : sql`(j.created_at, j.id) < (${after.instant}::timestamptz, ${after.id}::uuid)`
  const { rows } = await sql<ExportOverview>`
    SELECT ${sql.join(columns.map((column) => sql.ref(`j.${column}`)))}, j.leased AND j.available_at > now() AS running,
      asked.client, asked.subject, kept.files, kept.bytes,
      to_char(j.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS instant
    FROM (
      SELECT * FROM bulk_export_jobs AS j WHERE ${alive} AND ${isAfter} AND ${status === undefined ? sql`true` : sql`j.status = ${status}`}
      ORDER BY j.created_at DESC, j.id DESC LIMIT ${limit}
    ) AS j
    LEFT JOIN LATERAL (
      -- Both rows are of one transaction, and so of one instant.
      SELECT client_id AS client, CASE WHEN role = 'ADMIN' THEN subject END AS subject FROM bulk_export_audit
      WHERE recorded_at = j.created_at AND export_id = j.id AND event = 'requested' LIMIT 1
    ) AS asked ON true
    CROSS JOIN LATERAL (${keptFiles(sql`export_id = j.id`)}) AS kept
    ORDER BY j.created_at DESC, j.id DESC`.execute(db)
  return rows
}

/** Bytes of plaintext: an encrypted file takes a few more. */
function keptFiles (condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`SELECT count(*) AS files, coalesce(sum(size), 0)::bigint AS bytes FROM bulk_export_files WHERE state IN ('stored', 'published')
    AND ${condition}`
}

export interface Overview {
  now: Date
  /** Exports that have not expired. */
  counts: Partial<Record<ExportStatus, number>>
  /** Exports that could be taken by a worker now; seconds that the first of them has waited. */
  waiting: { count: number, seconds: number | null }
  kept: { files: number, bytes: number }
  hours: HourOverview[]
}

/** What happened in an hour (audit), from its beginning. `bytes`: of downloads, as they were handed to connections. */
export interface HourOverview {
  hour: Date
  requested: number
  completed: number
  failed: number
  cancelled: number
  downloads: number
  bytes: number
}

/** The whole of it, with the last 24 hours. It reads all exports and a day of the audit: ask it rarely. */
export async function findOverview (db: Kysely<Database>): Promise<Overview> {
  const [counts, waiting, kept, hours] = await Promise.all([
    sql<{ status: ExportStatus, count: number }>`SELECT status, count(*) AS count FROM bulk_export_jobs AS j WHERE ${alive}
      GROUP BY status`.execute(db),
    sql<Overview['waiting'] & { now: Date }>`
      SELECT now(), count(*) AS count, extract(epoch FROM now() - min(available_at))::integer AS seconds
      FROM bulk_export_jobs WHERE status IN ('pending', 'in_progress') AND available_at <= now()`.execute(db),
    sql<Overview['kept']>`${keptFiles(sql`true`)}`.execute(db),
    findHours(db),
  ])
  const [now, files] = [waiting.rows[0], kept.rows[0]]
  if (now === undefined || files === undefined) throw new Error('an aggregate is one row')
  return {
    now: now.now,
    counts: Object.fromEntries(counts.rows.map(({ status, count }) => [status, count])),
    waiting: { count: now.count, seconds: now.seconds },
    kept: files,
    hours,
  }
}

async function findHours (db: Kysely<Database>): Promise<HourOverview[]> {
  const first = sql`date_trunc('hour', now()) - interval '23 hours'`
  const counted = (...events: string[]) => sql`count(*) FILTER (WHERE event = ANY(${events}))`
  const { rows } = await sql<HourOverview>`
    SELECT hour, ${counted('requested')} AS requested, ${counted('completed')} AS completed, ${counted('failed')} AS failed,
      ${counted('cancelled')} AS cancelled, ${counted('downloaded')} AS downloads, coalesce(sum(bytes), 0)::bigint AS bytes
    FROM generate_series(${first}, now(), interval '1 hour') AS hour
    LEFT JOIN bulk_export_audit ON recorded_at >= ${first} AND date_trunc('hour', recorded_at) = hour
    GROUP BY hour ORDER BY hour`.execute(db)
  return rows
}
