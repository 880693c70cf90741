import { readOptions } from '@fhir-bulk-export/stack/options'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { createCpuShare } from './measure/cpu-share.ts'
import { readCpuSeconds } from './measure/cpu.ts'
import { describeMachine } from './measure/machine.ts'
import { median } from './measure/statistics.ts'
import { awaitExport, startExport } from './setup/run-export.ts'
import { seedSmallPatients } from './setup/seed.ts'
import { openBench } from './setup/stack.ts'

/*
 * One export of all patients on 1, 2, 4 and 8 workers, each held to a part of a core: how far one export gets faster until PostgreSQL is
 * full. Linux, as root. `shared [--rows 1000000] [--runs 3] [--percent 50] [--partMegabytes 8]`
 */
const { rows, runs, percent, partMegabytes } = readOptions({ rows: 1_000_000, runs: 3, percent: 50, partMegabytes: 8 })

runInScope(async (scope) => {
  const share = createCpuShare(percent)
  scope.add(share) // the last to be stopped: a group is removed when its process is gone
  const bench = await openBench(scope)
  for (let from = 0; from < rows; from += 100_000) await seedSmallPatients(bench.pool, from + 1, Math.min(rows, from + 100_000))
  await bench.pool.query('VACUUM ANALYZE')
  console.log(await describeMachine(bench.pool))
  console.log(`One export of ${rows.toLocaleString('en-US')} patients, workers of ${percent} % of a core each, median of ${runs}\n`)
  console.log('| workers | rows/s | core-s of PostgreSQL per million rows |\n|---|---|---|')
  for (const count of [1, 2, 4, 8]) {
    const environment = { EXPORT_READERS: '1', EXPORT_PART_BYTES: `${partMegabytes}MiB` }
    const workers = await Promise.all(Array.from({ length: count }, async () => await bench.startWorker(environment)))
    for (const { pid } of workers) await share.hold(pid)
    const rates = []
    const costs = []
    for (let run = 0; run < runs; run++) {
      scope.signal.throwIfAborted()
      const before = await readCpuSeconds(bench.postmaster)
      const row = await awaitExport(bench, await startExport(bench, ['Patient']))
      rates.push(rows / (((row.ended_at?.getTime() ?? 0) - (row.started_at?.getTime() ?? 0)) / 1_000))
      costs.push((await readCpuSeconds(bench.postmaster) - before) / rows * 1e6)
    }
    console.log(`| ${count} | ${Math.round(median(rates)).toLocaleString('en-US')} | ${median(costs).toFixed(2)} |`)
    await Promise.all(workers.map(async (worker) => { await worker.stop() }))
    await share.stop()
  }
  return 0
})
