import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/**
 * Whether a worker at this process's own address (in a container: the container's worker) had PostgreSQL do something lately. Its tick
 * does every few seconds, and a worker that hangs or is stopped does not, though its connections stay. Where several workers share an
 * address, any of them counts.
 */
export async function isWorking<T> (db: Kysely<T>, longestSilenceMs: number): Promise<boolean> {
  const { rows: [found] } = await sql`
    SELECT 1 FROM pg_stat_activity
    WHERE application_name IN ('fhir-bulk-export-worker', 'fhir-bulk-export-lease')
      AND datname = current_database()
      AND client_addr IS NOT DISTINCT FROM inet_client_addr()
      AND state_change > clock_timestamp() - ${longestSilenceMs} * interval '1 millisecond'
    LIMIT 1`.execute(db)
  return found !== undefined
}
