import { readOptions } from '@fhir-bulk-export/stack/options'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { readPeakMemory } from './measure/cpu.ts'
import { describeMachine } from './measure/machine.ts'
import { median, quantile } from './measure/statistics.ts'
import { readFloor } from './setup/floor.ts'
import { measureExport } from './setup/run-export.ts'
import { seedObservations, seedPatients } from './setup/seed.ts'
import { openBench } from './setup/stack.ts'

/*
 * How much an export costs above reading its rows: an export against the floor, both in one run, at growing sizes; of patients, which are rows of
 * columns, or of observations, which are rows with `resource`. `export [--rows 10000,100000,1000000] [--runs 5] [--of patients|observations]`
 */
const { rows: sizes, runs, of } = readOptions({ rows: [10_000, 100_000, 1_000_000], runs: 5, of: 'patients' })
const { type, relation, seed } = of === 'observations'
  ? { type: 'Observation', relation: 'observation', seed: seedObservations }
  : { type: 'Patient', relation: 'patients', seed: seedPatients }

runInScope(async (scope) => {
  const bench = await openBench(scope)
  console.log(await describeMachine(bench.pool))
  console.log(`warm-up: 1 run of each; then ${runs} runs: median (p95)\n`)
  console.log(`| ${relation} | bytes/row | floor rows/s | export rows/s | time ratio | floor core-s/M | export core-s/M | CPU ratio | NDJSON MB/s | worker peak MB |`)
  console.log('|---|---|---|---|---|---|---|---|---|---|')
  const worker = await bench.startWorker()
  let seeded = 0
  for (const size of sizes) {
    for (; seeded < size; seeded = Math.min(size, seeded + 100_000)) await seed(bench.pool, seeded + 1, Math.min(size, seeded + 100_000))
    await bench.pool.query(`VACUUM ANALYZE source.${relation}`)
    await bench.pool.query('CHECKPOINT')
    await readFloor(bench.pool, relation, bench.postmaster)
    await measureExport(bench, worker, [type])
    const floors = []
    const exports = []
    for (let run = 0; run < runs; run++) {
      scope.signal.throwIfAborted()
      floors.push(await readFloor(bench.pool, relation, bench.postmaster))
      exports.push(await measureExport(bench, worker, [type]))
    }
    const rate = (figures: Array<{ seconds: number }>) => `${thousands(size / median(figures.map((f) => f.seconds)))} (${thousands(size / quantile(figures.map((f) => f.seconds), 0.95))})`
    const cost = (figures: Array<{ coreSeconds: number }>) => median(figures.map((f) => f.coreSeconds)) / size * 1e6
    const seconds = (figures: Array<{ seconds: number }>) => median(figures.map((f) => f.seconds))
    console.log('| ' + [
      thousands(size), Math.round((floors[0]?.bytes ?? 0) / size), rate(floors), rate(exports), (seconds(floors) / seconds(exports)).toFixed(2),
      cost(floors).toFixed(2), cost(exports).toFixed(2), (cost(exports) / cost(floors)).toFixed(2),
      Math.round((exports[0]?.bytes ?? 0) / seconds(exports) / 1e6), Math.round(await readPeakMemory(worker.pid) / 1e6),
    ].join(' | ') + ' |')
  }
  return 0
})

function thousands (n: number): string {
  return Math.round(n).toLocaleString('en-US')
}
