import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openContentStore, toFileKey, type StoredFile } from '@fhir-bulk-export/core/store'
import { findKubo, kuboVersion, startKubo } from '@fhir-bulk-export/stack/kubo'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { readOptions } from '@fhir-bulk-export/stack/options'
import { median, quantile } from './measure/statistics.ts'

/*
 * The stores alone, a folder and (where there is one) a Kubo of its own: put (hashed by UnixFS, written, on disk) and read, beside
 * SHA-256 of the same bytes.
 * `store [--megabytes 500] [--runs 5]`
 */
const { megabytes, runs } = readOptions({ megabytes: 500, runs: 5 })
const bytes = megabytes * 1e6
const piece = Buffer.alloc(512 * 1024, 'The quick brown fox jumps over the lazy dog. ')

/** No two blocks of it are equal: a node would store them once. */
async function * stream () {
  for (let left = bytes; left > 0; left -= piece.length) {
    for (const offset of [0, piece.length / 2]) piece.writeDoubleBE(left - offset, offset)
    yield piece.subarray(0, Math.min(left, piece.length))
  }
}

async function seconds (work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return (performance.now() - begin) / 1_000
}

async function measure (url: string): Promise<Record<string, number[]>> {
  const store = await openContentStore(url)
  const figures: Record<string, number[]> = { 'SHA-256': [], put: [], read: [] }
  for (let run = 0; run <= runs; run++) {
    const key = toFileKey({ export_id: randomUUID(), attempt: 1, n: 1 })
    const hash = createHash('sha256')
    let file: StoredFile | undefined
    const times = {
      'SHA-256': await seconds(async () => { for await (const chunk of stream()) hash.update(chunk) }),
      put: await seconds(async () => { file = await store.put(key, stream()) }),
      read: await seconds(async () => {
        if (file !== undefined) {
          for await (const chunk of store.read(file)) hash.update(chunk.subarray(0, 1))
        }
      }),
    }
    if (file !== undefined) await store.drop(file)
    await store.collectGarbage()
    if (run > 0) for (const [name, time] of Object.entries(times)) figures[name]?.push(time) // the first is warm-up
  }
  return figures
}

function print (name: string, figures: Record<string, number[]>): void {
  console.log(`\n| ${name} | MB/s median | p95 |\n|---|---|---|`)
  for (const [what, times] of Object.entries(figures)) {
    console.log(`| ${what} | ${Math.round(bytes / 1e6 / median(times))} | ${Math.round(bytes / 1e6 / quantile(times, 0.95))} |`)
  }
}

runInScope(async (scope) => {
  const directory = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-bench-'))
  scope.add({ stop: async () => { await rm(directory, { recursive: true, force: true }) } })
  console.log(`Node ${process.version}, ${megabytes} MB, 1 warm-up, ${runs} runs`)
  print('folder', await measure(pathToFileURL(join(directory, 'folder')).href))
  if (await findKubo() === undefined) console.log('\nThere is no Kubo to measure.')
  else print(`Kubo ${kuboVersion}`, await measure(scope.add(await startKubo({ repo: join(directory, 'repo') })).url))
  return 0
})
