import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createExport, findExport, type ExportSummary } from '@fhir-bulk-export/core/exports'
import { readCpuSeconds } from '../measure/cpu.ts'
import type { Figures } from './floor.ts'
import type { Bench } from './stack.ts'

export async function startExport ({ db, queue }: Bench, types: string[], patientId: string | null = null): Promise<string> {
  const id = randomUUID()
  await createExport(db, {
    id,
    profile: 'respond-async',
    request: '/fhir/r4/Patient/$export',
    requester_role: patientId === null ? 'ADMIN' : 'PATIENT',
    requester: id,
    issuer: '',
    patient_id: patientId,
    types,
  }, { maxActive: 10, maxPerMinute: 1_000 })
  await queue.enqueue(id)
  return id
}

export async function awaitExport ({ db }: Bench, id: string): Promise<ExportSummary> {
  for (;;) {
    const row = await findExport(db, id)
    if (row?.status === 'completed') return row
    if (row?.ended_at != null) throw new Error(`the export ended ${row.status}: ${row.failure_reason ?? ''}`)
    await delay(50)
  }
}

/** One export from kick-off to manifest: rows → FHIR → NDJSON → hashed, stored, published. Time is PostgreSQL's, from claim to end. */
export async function measureExport (bench: Bench, worker: { pid: number }, types: string[]): Promise<Figures & { rows: number }> {
  const before = { postgres: await readCpuSeconds(bench.postmaster), worker: await readCpuSeconds(worker.pid) }
  const row = await awaitExport(bench, await startExport(bench, types))
  const postgresSeconds = await readCpuSeconds(bench.postmaster) - before.postgres
  const coreSeconds = postgresSeconds + await readCpuSeconds(worker.pid) - before.worker
  const { bytes } = await bench.db.selectFrom('bulk_export_files').select(
    (eb) => eb.fn.sum<number>('size').as('bytes')
  ).where('export_id', '=', row.id).executeTakeFirstOrThrow()
  const seconds = ((row.ended_at?.getTime() ?? 0) - (row.started_at?.getTime() ?? 0)) / 1_000
  return { seconds, coreSeconds, postgresSeconds, bytes: Number(bytes), rows: row.exported_resources }
}
