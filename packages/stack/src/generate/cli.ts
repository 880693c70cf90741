import { readOptions } from '../options.ts'
import { writeFiles } from './write-files.ts'

const usage = 'usage: generate --out DIR [--patients N] [--seed S]'

const { patients, seed, out } = readOptions({ patients: 10_000, seed: 1, out: '' })

if (out === '' || !Number.isInteger(patients) || !Number.isInteger(seed)) {
  console.error(usage)
  process.exitCode = 2
} else {
  const startedMs = performance.now()
  const counts = await writeFiles(out, { patients, seed })
  const seconds = (performance.now() - startedMs) / 1_000
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  for (const [file, count] of Object.entries(counts)) console.log(`${String(count).padStart(9)} ${file}`)
  console.log(`${String(total).padStart(9)} rows and resources in ${seconds.toFixed(1)} s (${Math.round(total / seconds)} a second)`)
}
