import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openContentStore, toFileKey } from '@fhir-bulk-export/core/store'
import { readOptions } from '@fhir-bulk-export/stack/options'
import { median, quantile } from './measure/statistics.ts'

/*
 * The embedded store alone: put (hashed by UnixFS, written, on disk) and read, beside SHA-256 of the same bytes.
 * `store [--megabytes 500] [--runs 5]`
 */
const { megabytes, runs } = readOptions({ megabytes: 500, runs: 5 })
const bytes = megabytes * 1e6
const piece = Buffer.alloc(512 * 1024, 'The quick brown fox jumps over the lazy dog. ')

async function * stream () {
  for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length))
}

async function seconds (work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1_000
}

const directory = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-bench-'))
try {
  const store = await openContentStore(pathToFileURL(directory).href)
  const figures = { 'SHA-256': [] as number[], put: [] as number[], read: [] as number[] }
  for (let run = 0; run <= runs; run++) {
    const file = { key: toFileKey({ export_id: randomUUID(), attempt: 1, n: 1 }), cid: '', pin: null, size: bytes }
    const hash = createHash('sha256')
    const times = {
      'SHA-256': await seconds(async () => { for await (const chunk of stream()) hash.update(chunk) }),
      put: await seconds(async () => await store.put(file.key, stream())),
      read: await seconds(async () => { for await (const chunk of store.read(file)) hash.update(chunk.subarray(0, 1)) }),
    }
    await store.drop(file)
    if (run > 0) for (const [name, time] of Object.entries(times)) figures[name as keyof typeof figures].push(time) // the first is warm-up
  }
  console.log(`Node ${process.version}, ${megabytes} MB, 1 warm-up, ${runs} runs\n\n| | MB/s median | p95 |\n|---|---|---|`)
  for (const [name, times] of Object.entries(figures)) console.log(`| ${name} | ${Math.round(bytes / 1e6 / median(times))} | ${Math.round(bytes / 1e6 / quantile(times, 0.95))} |`)
} finally {
  await rm(directory, { recursive: true, force: true })
}
