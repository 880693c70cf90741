import { sql, type Kysely } from 'kysely'
import type { Database } from '../db/database.ts'
import { workerAbsentMs } from '../exports/workers.ts'
import { exportStatuses } from '../vocabulary.ts'

export interface DatabaseFigures {
  exports: ReadonlyMap<string, number>
  files: ReadonlyMap<string, number>
  workers: number
  /** That running attempts have dealt with. */
  runningResources: number
  /** Since when the export that waits longest could have been taken; 0: none waits. */
  oldestWaitingSeconds: number
}

/** One statement for each scrape. */
export async function readDatabaseFigures (db: Kysely<Database>): Promise<DatabaseFigures> {
  const { rows } = await sql<{ figure: string, name: string, value: number }>`
    SELECT 'exports' AS figure, status::text AS name, count(*)::float8 AS value FROM bulk_export_jobs GROUP BY status
    UNION ALL SELECT 'files', state::text, count(*)::float8 FROM bulk_export_files GROUP BY state
    UNION ALL SELECT 'workers', '', count(*)::float8 FROM bulk_export_workers WHERE seen_at > now() - ${workerAbsentMs} * interval '1 ms'
    UNION ALL SELECT 'running', '', coalesce(sum(exported_resources), 0)::float8
      FROM bulk_export_jobs WHERE status = 'in_progress' AND leased
    UNION ALL SELECT 'waiting', '', coalesce(extract(epoch FROM now() - min(available_at)), 0)::float8
      FROM bulk_export_jobs WHERE status IN ('pending', 'in_progress') AND available_at <= now()`.execute(db)
  const of = (figure: string) => rows.filter((row) => row.figure === figure)
  const toCounts = (figure: string) => new Map(of(figure).map(({ name, value }) => [name, value]))
  return {
    exports: new Map([...exportStatuses.map((status) => [status, 0] as const), ...toCounts('exports')]),
    files: toCounts('files'),
    workers: of('workers')[0]?.value ?? 0,
    runningResources: of('running')[0]?.value ?? 0,
    oldestWaitingSeconds: of('waiting')[0]?.value ?? 0,
  }
}
