import { randomBytes } from 'node:crypto'
import { readOptions } from '@fhir-bulk-export/stack/options'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { readPeakMemory } from './measure/cpu.ts'
import { describeMachine } from './measure/machine.ts'
import { awaitExport, startExport } from './setup/run-export.ts'
import { seedSmallPatients } from './setup/seed.ts'
import { openBench } from './setup/stack.ts'

/*
 * Peak resident memory of a worker, a new process for each line: patients of a name and a birth date, in growing numbers, then small rows
 * with 2,000 documents of 1 MB incompressible text in between. `memory [--rows 10000,10000000] [--runs 3]`
 */
const { rows, runs } = readOptions({ rows: [10_000, 1_000_000], runs: 3 })

runInScope(async (scope) => {
  const bench = await openBench(scope)
  console.log(await describeMachine(bench.pool))
  console.log(`peak RSS of a worker over ${runs} exports\n\n| rows | peak MB |\n|---|---|`)

  async function report (what: string, types: string[]): Promise<void> {
    const worker = await bench.startWorker()
    for (let run = 0; run < runs; run++) await awaitExport(bench, await startExport(bench, types))
    console.log(`| ${what} | ${Math.round(await readPeakMemory(worker.pid) / 1e6)} |`)
    await worker.stop()
  }

  let seeded = 0
  for (const size of rows) {
    for (; seeded < size; seeded = Math.min(size, seeded + 100_000)) {
      await seedSmallPatients(bench.pool, seeded + 1, Math.min(size, seeded + 100_000))
    }
    await bench.pool.query('VACUUM ANALYZE source.patients')
    await report(`${size.toLocaleString('en-US')} patients`, ['Patient'])
  }
  for (let i = 0; i < 2_000; i++) {
    await bench.pool.query(`INSERT INTO source.medical_records (id, patient_id, status, content)
      VALUES ($1, 'p', 'current', jsonb_build_array(jsonb_build_object('attachment',
        jsonb_build_object('contentType', 'application/pdf', 'data', $2::text))))`,
    [`large-${i}`, randomBytes(750_000).toString('base64')])
    await bench.pool.query(`INSERT INTO source.medical_records (id, patient_id, status, content)
      SELECT 'small-' || $1 || '-' || i, 'p', 'current', '[{"attachment":{"contentType":"text/plain","data":"aGVsbG8="}}]'
        FROM generate_series(1, 100) i`, [i])
  }
  await bench.pool.query('VACUUM ANALYZE source.medical_records')
  await report('2,000 documents of 1 MB among 200,000 small ones', ['DocumentReference'])
  return 0
})
