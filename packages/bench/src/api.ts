import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { ask, open } from '@fhir-bulk-export/stack/client'
import { readOptions } from '@fhir-bulk-export/stack/options'
import { signToken } from '@fhir-bulk-export/stack/tokens'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { readPeakMemory } from './measure/cpu.ts'
import { describeMachine } from './measure/machine.ts'
import { quantile } from './measure/statistics.ts'
import { awaitExport, startExport } from './setup/run-export.ts'
import { seedPatients } from './setup/seed.ts'
import { openBench } from './setup/stack.ts'

/*
 * The API while an export runs: kick-offs, and 100 clients that each poll a status once a second; then polls far above the
 * limit, and a download. `api [--patients 500000] [--clients 100] [--seconds 20]`
 */
const { patients, clients, seconds } = readOptions({ patients: 500_000, clients: 100, seconds: 20 })

runInScope(async (scope) => {
  const bench = await openBench(scope)
  for (let from = 0; from < patients; from += 100_000) await seedPatients(bench.pool, from + 1, Math.min(patients, from + 100_000))
  await bench.pool.query('VACUUM ANALYZE')
  await bench.startWorker()
  const jwtSecret = randomBytes(48).toString('base64url')
  const api = await bench.startApi(jwtSecret)
  const base = `${api.url}/fhir/r4`
  const headersOf = (client: number) => ({
    Authorization: `Bearer ${signToken(jwtSecret, { role: 'ADMIN', sub: `client-${client}` }, { lifetimeSeconds: 3_600 })}`,
  })
  const headers = Array.from({ length: clients }, (_, client) => headersOf(client))

  async function timed (url: string, requestHeaders: Record<string, string>): Promise<{ ms: number, status: number }> {
    const begin = performance.now()
    const { status } = await ask(url, { headers: requestHeaders })
    return { ms: performance.now() - begin, status }
  }

  console.log(await describeMachine(bench.pool))
  console.log(`${clients} clients, an export of ${patients.toLocaleString('en-US')} patients running`)
  console.log('\n| request | count | p50 ms | p99 ms |\n|---|---|---|---|')
  const row = (what: string, times: number[]) => {
    console.log(`| ${what} | ${times.length} | ${quantile(times, 0.5).toFixed(1)} | ${quantile(times, 0.99).toFixed(1)} |`)
  }

  const exportId = await startExport(bench, ['Patient'])
  const kickOffs = await Promise.all(headers.map(async (header) => await timed(`${base}/Patient/$export?_type=Consent`, header)))
  row('kick-off, all at once', kickOffs.map(({ ms }) => ms))

  const polls: number[] = []
  const until = performance.now() + seconds * 1_000
  await Promise.all(headers.map(async (header) => {
    await delay(Math.random() * 1_000)
    while (performance.now() < until && !scope.signal.aborted) {
      const { ms, status } = await timed(`${base}/$export-status/${exportId}`, header)
      if (status >= 400) throw new Error(`a poll was answered with ${status}`)
      polls.push(ms)
      await delay(1_000)
    }
  }))
  row('status, each client once a second', polls)

  const hot = headersOf(clients)
  const refused: number[] = []
  for (let i = 0; i < 2_000; i++) {
    const { ms, status } = await timed(`${base}/$export-status/${exportId}`, hot)
    if (status === 429) refused.push(ms)
  }
  row('status, refused (429) without a look at the database', refused)

  await awaitExport(bench, exportId)
  const begin = performance.now()
  let bytes = 0
  const file = await open(`${base}/$export-file/${exportId}/Patient.1.ndjson`, { headers: headersOf(clients + 1) })
  for await (const chunk of file as AsyncIterable<Buffer>) bytes += chunk.length
  const megabytes = bytes / 1e6
  const downloadSeconds = (performance.now() - begin) / 1_000
  console.log(`\nDownload: ${Math.round(megabytes)} MB at ${Math.round(megabytes / downloadSeconds)} MB/s`)
  console.log(`Peak RSS of the API: ${Math.round(await readPeakMemory(api.pid) / 1e6)} MB`)
  return 0
})
