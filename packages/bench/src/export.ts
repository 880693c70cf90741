import { readOptions } from '@fhir-bulk-export/stack/options'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { readPeakMemory } from './measure/cpu.ts'
import { describeMachine } from './measure/machine.ts'
import { median, quantile } from './measure/statistics.ts'
import { readFloor, type Figures } from './setup/floor.ts'
import { measureExport } from './setup/run-export.ts'
import { seedConditions, seedEncounters, seedObservations } from './setup/seed-resources.ts'
import { seedConsents, seedDocuments, seedPatients, seedProvenance } from './setup/seed.ts'
import { openBench } from './setup/stack.ts'

/*
 * How much an export costs above reading its rows: an export of each type against the floor of its own relation, both in one run, at
 * growing sizes. The first four are rows of columns, the others rows with `resource`.
 * `export [--rows 100000,1000000] [--runs 5] [--of Patient,Observation]`
 */
const kinds = [
  { type: 'Patient', relation: 'patients', seed: seedPatients },
  { type: 'DocumentReference', relation: 'medical_records', seed: seedDocuments },
  { type: 'Consent', relation: 'consents', seed: seedConsents },
  { type: 'Provenance', relation: 'provenance_events', seed: seedProvenance },
  { type: 'Observation', relation: 'observation', seed: seedObservations },
  { type: 'Encounter', relation: 'encounter', seed: seedEncounters },
  { type: 'Condition', relation: 'condition', seed: seedConditions },
]
const { rows: sizes, runs, of } = readOptions({ rows: [100_000, 1_000_000], runs: 5, of: kinds.map(({ type }) => type).join(',') })
const wanted = of.split(',').map((name) => {
  const kind = kinds.find(({ type }) => type === name)
  if (kind === undefined) throw new Error(`--of ${name}: there are ${kinds.map(({ type }) => type).join(', ')}`)
  return kind
})
const columns = [
  'rows', 'bytes/row', 'floor rows/s', 'export rows/s', 'time ratio', 'floor core-s/M (PostgreSQL)', 'export core-s/M (PostgreSQL)',
  'CPU ratio', 'NDJSON MB/s', 'worker peak MB',
]

runInScope(async (scope) => {
  const bench = await openBench(scope)
  console.log(await describeMachine(bench.pool))
  console.log(`warm-up: 1 run of each; then ${runs} runs: median (p95)\n`)
  console.log(toRow(columns))
  console.log(toRow(columns.map(() => '---')))
  const worker = await bench.startWorker()
  for (const { type, relation, seed } of wanted) {
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
      const seconds = (figures: Array<{ seconds: number }>) => median(figures.map((f) => f.seconds))
      const perMillion = (coreSeconds: number[]) => median(coreSeconds) / size * 1e6
      const cost = (figures: Figures[]) => perMillion(figures.map((f) => f.coreSeconds))
      const toCost = (figures: Figures[]) => {
        return `${cost(figures).toFixed(2)} (${perMillion(figures.map((f) => f.postgresSeconds)).toFixed(2)})`
      }
      console.log(toRow([
        `${thousands(size)} ${type}`, Math.round((floors[0]?.bytes ?? 0) / size), toRate(size, floors), toRate(size, exports),
        (seconds(floors) / seconds(exports)).toFixed(2), toCost(floors), toCost(exports),
        (cost(exports) / cost(floors)).toFixed(2), Math.round((exports[0]?.bytes ?? 0) / seconds(exports) / 1e6),
        Math.round(await readPeakMemory(worker.pid) / 1e6),
      ]))
    }
    await bench.pool.query(`TRUNCATE source.${relation} CASCADE`) // its rows have been read; the disk is for the next ones
  }
  return 0
})

/** Rows a second: median, and of the slowest runs. */
function toRate (rows: number, figures: Array<{ seconds: number }>): string {
  const seconds = figures.map((f) => f.seconds)
  return `${thousands(rows / median(seconds))} (${thousands(rows / quantile(seconds, 0.95))})`
}

function toRow (cells: Array<string | number>): string {
  return `| ${cells.join(' | ')} |`
}

function thousands (n: number): string {
  return Math.round(n).toLocaleString('en-US')
}
