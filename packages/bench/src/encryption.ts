import { randomBytes } from 'node:crypto'
import { readOptions } from '@fhir-bulk-export/stack/options'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { describeMachine } from './measure/machine.ts'
import { median, quantile } from './measure/statistics.ts'
import type { Figures } from './setup/floor.ts'
import { measureExport } from './setup/run-export.ts'
import { seedPatients } from './setup/seed.ts'
import { openBench } from './setup/stack.ts'

/*
 * What encryption adds to an export: the same patients exported by a worker with EXPORT_ENCRYPTION_KEY and by one without, in
 * turns, one of them running at a time. `encryption [--rows 300000] [--runs 7]`
 */
const { rows, runs } = readOptions({ rows: 300_000, runs: 7 })

runInScope(async (scope) => {
  const bench = await openBench(scope)
  console.log(await describeMachine(bench.pool))
  console.log(`warm-up: 1 export of each worker; then ${runs} of each: median (p95)\n`)
  for (let seeded = 0; seeded < rows; seeded += 100_000) await seedPatients(bench.pool, seeded + 1, Math.min(rows, seeded + 100_000))
  await bench.pool.query('VACUUM ANALYZE source.patients')

  const clear: Figures[] = []
  const encrypted: Figures[] = []
  for (let run = 0; run < runs; run++) {
    scope.signal.throwIfAborted()
    for (const [figures, environment] of [
      [clear, {}], [encrypted, { EXPORT_ENCRYPTION_KEY: `bench:${randomBytes(32).toString('base64')}` }],
    ] as const) {
      const worker = await bench.startWorker(environment)
      await measureExport(bench, worker, ['Patient'])
      await bench.pool.query('CHECKPOINT')
      figures.push(await measureExport(bench, worker, ['Patient']))
      await worker.stop()
    }
  }

  console.log('| | seconds | core-seconds | NDJSON MB/s |\n|---|---|---|---|')
  for (const [name, figures] of [['in the clear', clear], ['encrypted', encrypted]] as const) {
    const seconds = figures.map((f) => f.seconds)
    const cells = [`${median(seconds).toFixed(2)} (${quantile(seconds, 0.95).toFixed(2)})`, cores(figures).toFixed(2)]
    console.log(`| ${[name, ...cells, Math.round((figures[0]?.bytes ?? 0) / median(seconds) / 1e6)].join(' | ')} |`)
  }
  const added = (of: (figures: Figures[]) => number) => `${(100 * (of(encrypted) / of(clear) - 1)).toFixed(1)} %`
  console.log(`\nencryption adds ${added((figures) => median(figures.map((f) => f.seconds)))} of time, ${added(cores)} of CPU`)
  return 0
})

function cores (figures: Figures[]): number {
  return median(figures.map((f) => f.coreSeconds))
}
