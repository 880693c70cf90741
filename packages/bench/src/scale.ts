import { readOptions } from '@fhir-bulk-export/stack/options'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { readCpuSeconds } from './measure/cpu.ts'
import { describeMachine } from './measure/machine.ts'
import { median } from './measure/statistics.ts'
import { awaitExport, startExport } from './setup/run-export.ts'
import { seedObservations } from './setup/seed-resources.ts'
import { seedPatients, seedRecords } from './setup/seed.ts'
import { openBench, type Bench } from './setup/stack.ts'

/*
 * Eight exports of everything at once, on 1, 2 and 4 workers: how far throughput grows until the machine or PostgreSQL is full.
 * `scale [--patients 50000] [--runs 5]`
 */
const { patients, runs } = readOptions({ patients: 50_000, runs: 5 })
const exports = 8
const types = ['Patient', 'DocumentReference', 'Consent', 'Provenance', 'Observation']

runInScope(async (scope) => {
  const bench = await openBench(scope)
  await seedPatients(bench.pool, 1, patients)
  await seedRecords(bench.pool, 1, patients)
  await seedObservations(bench.pool, 1, patients)
  await bench.pool.query('VACUUM ANALYZE')
  console.log(await describeMachine(bench.pool))
  console.log(`${exports} exports of ${(types.length * patients).toLocaleString('en-US')} rows each, median of ${runs}`)
  console.log('\n| workers | rows/s | core-s of PostgreSQL per million rows |\n|---|---|---|')
  for (const count of [1, 2, 4]) {
    const workers = await Promise.all(Array.from({ length: count }, async () => await bench.startWorker()))
    await exportMany(bench) // warm-up
    const rates = []
    const costs = []
    for (let run = 0; run < runs; run++) {
      scope.signal.throwIfAborted()
      const before = await readCpuSeconds(bench.postmaster)
      const { rows, seconds } = await exportMany(bench)
      rates.push(rows / seconds)
      costs.push((await readCpuSeconds(bench.postmaster) - before) / rows * 1e6)
    }
    console.log(`| ${count} | ${Math.round(median(rates)).toLocaleString('en-US')} | ${median(costs).toFixed(2)} |`)
    await Promise.all(workers.map(async (worker) => { await worker.stop() }))
  }
  return 0
})

async function exportMany (bench: Bench): Promise<{ rows: number, seconds: number }> {
  const ids = []
  for (let i = 0; i < exports; i++) ids.push(await startExport(bench, types))
  const rows = await Promise.all(ids.map(async (id) => await awaitExport(bench, id)))
  const begin = Math.min(...rows.map(({ started_at: at }) => at?.getTime() ?? 0))
  const end = Math.max(...rows.map(({ ended_at: at }) => at?.getTime() ?? 0))
  return { rows: rows.reduce((sum, row) => sum + row.exported_resources, 0), seconds: (end - begin) / 1_000 }
}
