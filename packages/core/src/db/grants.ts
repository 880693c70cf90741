import { sql, type QueryExecutorProvider } from 'kysely'

/**
 * What API and worker may do with the service's own tables, where each has a role of its own; the tables belong to the role of `migrate`.
 * Neither makes or changes a table. SELECT … FOR UPDATE (batches.ts) needs UPDATE. source/grants.ts has what they read of the source.
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
    'SELECT ON public.bulk_export_clients',
    'SELECT, INSERT, UPDATE ON public.bulk_export_client_assertions',
    'SELECT, INSERT ON public.bulk_export_audit',
  ],
  worker: [
    'USAGE ON SCHEMA public',
    'SELECT ON public.bulk_export_migration',
    'SELECT, UPDATE, DELETE ON public.bulk_export_jobs',
    'SELECT, INSERT, UPDATE, DELETE ON public.bulk_export_files',
    'SELECT, UPDATE, DELETE ON public.bulk_export_downloads',
    'SELECT, UPDATE, DELETE ON public.bulk_export_callers',
    'SELECT, INSERT, UPDATE, DELETE ON public.bulk_export_snapshots',
    'SELECT, INSERT, UPDATE, DELETE ON public.bulk_export_parts',
    'SELECT, INSERT, UPDATE, DELETE ON public.bulk_export_workers',
    'SELECT, UPDATE, DELETE ON public.bulk_export_client_assertions',
    'SELECT, INSERT ON public.bulk_export_audit',
    'EXECUTE ON FUNCTION public.bulk_export_keep_audit(interval)',
    'EXECUTE ON FUNCTION public.bulk_export_oldest_transaction_as_owner(text)',
  ],
} as const

export async function grantTo (db: QueryExecutorProvider, role: string, privileges: readonly string[]): Promise<void> {
  for (const privilege of privileges) await sql`GRANT ${sql.raw(privilege)} TO ${sql.id(role)}`.execute(db)
}
