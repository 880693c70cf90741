import { setTimeout as delay } from 'node:timers/promises'
import { readOptions } from '@fhir-bulk-export/stack/options'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { describeMachine } from './measure/machine.ts'
import { median } from './measure/statistics.ts'
import { awaitExport, startExport } from './setup/run-export.ts'
import { seedPatients, seedRecords, seedSmallPatients } from './setup/seed.ts'
import { openBench, type Bench } from './setup/stack.ts'

/*
 * What exports cost each other: one patient's own export again and again beside one large export and beside two, which many workers
 * read, and how the two share the readers. `beside [--rows 1000000] [--workers 1,2] [--partMegabytes 16]`
 */
const { rows, workers: counts, partMegabytes } = readOptions({ rows: 1_000_000, workers: [1, 2], partMegabytes: 16 })
/** With all that belongs to them: one of them exports its own. */
const patients = 1_000
const types = ['Patient', 'DocumentReference', 'Consent', 'Provenance']
const pauseMs = 500

runInScope(async (scope) => {
  const bench = await openBench(scope)
  await seedPatients(bench.pool, 1, patients)
  await seedRecords(bench.pool, 1, patients)
  for (let from = patients; from < rows; from += 100_000) await seedSmallPatients(bench.pool, from + 1, Math.min(rows, from + 100_000))
  await bench.pool.query('VACUUM ANALYZE')
  console.log(await describeMachine(bench.pool))
  console.log(`Exports of ${rows.toLocaleString('en-US')} patients, in parts of ${partMegabytes} MiB\n`)
  console.log("| workers | large exports at once | ended after s | rows/s of each | a patient's own export, median s (longest, count) |")
  console.log('|---|---|---|---|---|')
  for (const count of counts) {
    const environment = { EXPORT_PART_BYTES: `${partMegabytes}MiB` }
    const workers = await Promise.all(Array.from({ length: count }, async () => await bench.startWorker(environment)))
    for (const large of [0, 1, 2]) {
      scope.signal.throwIfAborted()
      const figures = await measure(bench, large)
      console.log(`| ${count} | ${large} | ${figures.join(' | ')} |`)
    }
    await Promise.all(workers.map(async (worker) => { await worker.stop() }))
  }
  return 0
})

/** Columns of the table. */
async function measure (bench: Bench, large: number): Promise<string[]> {
  const { rows: [patient] } = await bench.pool.query<{ id: string }>("SELECT id FROM source.patients WHERE id NOT LIKE 'small-%' LIMIT 1")
  const ids: string[] = []
  for (let i = 0; i < large; i++) ids.push(await startExport(bench, ['Patient']))
  let ended = 0
  const all = Promise.all(ids.map(async (id) => {
    const row = await awaitExport(bench, id)
    ended++
    return row
  }))
  const own: number[] = []
  while (large === 0 ? own.length < 20 : ended < large) {
    const row = await awaitExport(bench, await startExport(bench, types, patient?.id))
    own.push(toSeconds(row))
    await delay(pauseMs)
  }
  const seconds = (await all).map(toSeconds)
  return [
    seconds.map((s) => s.toFixed(1)).join(', '),
    seconds.map((s) => Math.round(rows / s).toLocaleString('en-US')).join(', '),
    `${median(own).toFixed(2)} (${Math.max(...own).toFixed(2)}, ${own.length})`,
  ]
}

/** From kick-off to manifest. */
function toSeconds ({ created_at: from, ended_at: to }: { created_at: Date, ended_at: Date | null }): number {
  return ((to?.getTime() ?? NaN) - from.getTime()) / 1_000
}
