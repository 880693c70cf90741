import { parseArgs } from 'node:util'
import { writeFiles } from './write-files.ts'

const usage = 'usage: generate --out DIR [--patients N] [--seed S]'

const { values } = parseArgs({
  options: { patients: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' }, out: { type: 'string' } },
})
const patients = Number(values.patients)
const seed = Number(values.seed)

if (values.out === undefined || !Number.isSafeInteger(patients) || patients < 0 || !Number.isSafeInteger(seed)) {
  console.error(usage)
  process.exitCode = 2
} else {
  const startedMs = performance.now()
  const counts = await writeFiles(values.out, { patients, seed })
  const seconds = (performance.now() - startedMs) / 1_000
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  for (const [file, count] of Object.entries(counts)) console.log(`${String(count).padStart(9)} ${file}`)
  console.log(`${String(total).padStart(9)} rows and resources in ${seconds.toFixed(1)} s (${Math.round(total / seconds)} a second)`)
}
