import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Database } from './database.ts'

/**
 * What API and worker may do, where each has a role of its own; tables and source belong to the role of `migrate`. The API writes nothing
 * of the source and reads no clinical rows; neither makes or changes a table.
 */
export const grants = {
  api: [
    'USAGE ON SCHEMA public',
    'SELECT ON public.bulk_export_migration',
    'SELECT, INSERT, UPDATE ON public.bulk_export_jobs',
    'SELECT, UPDATE ON public.bulk_export_files',
    'SELECT, INSERT, UPDATE, DELETE ON public.bulk_export_downloads',
    'SELECT, INSERT, UPDATE ON public.bulk_export_callers',
    'SELECT ON public.bulk_export_workers',
    'USAGE ON SCHEMA source',
    'SELECT (id, deleted_at) ON source.patients',
    'SELECT ON source.patient_groups, source.patient_group_members',
  ],
  worker: [
    'USAGE ON SCHEMA public',
    'SELECT ON public.bulk_export_migration',
    'SELECT, UPDATE, DELETE ON public.bulk_export_jobs',
    'SELECT, INSERT, UPDATE, DELETE ON public.bulk_export_files',
    'SELECT, DELETE ON public.bulk_export_downloads',
    'SELECT, DELETE ON public.bulk_export_callers',
    'SELECT, INSERT, UPDATE, DELETE ON public.bulk_export_workers',
    'EXECUTE ON FUNCTION public.bulk_export_oldest_transaction_as_owner(text)',
    'USAGE ON SCHEMA source',
    'SELECT ON ALL TABLES IN SCHEMA source',
  ],
} as const

/** Of a queue in PostgreSQL, for both. */
export const queueGrants = [
  'USAGE ON SCHEMA bullmq',
  'SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bullmq',
  'USAGE ON ALL SEQUENCES IN SCHEMA bullmq',
] as const

/** Repeatable. What a site has made itself (schema source) it has to grant itself, where this role does not own it. */
export async function grantTo (db: Kysely<Database>, role: string, privileges: readonly string[]): Promise<void> {
  for (const privilege of privileges) await sql`GRANT ${sql.raw(privilege)} TO ${sql.id(role)}`.execute(db)
}
