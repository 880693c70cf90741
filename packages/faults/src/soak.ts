import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createDatabase } from '@fhir-bulk-export/core/db'
import { openContentStore } from '@fhir-bulk-export/core/store'
import { runScript } from '@fhir-bulk-export/stack/commands'
import { readOptions } from '@fhir-bulk-export/stack/options'
import { createRandom } from '@fhir-bulk-export/stack/random'
import { runInScope } from '@fhir-bulk-export/stack/scope'
import { sql } from 'kysely'
import { comeToRest } from './soak/check.ts'
import { createClient } from './soak/client.ts'
import { givenData } from './soak/data.ts'
import { injectFaults } from './soak/faults.ts'
import { createFigures } from './soak/figures.ts'
import { createAsk } from './soak/http.ts'
import { beClient } from './soak/load.ts'
import { describeMachine } from './soak/machine.ts'
import { createMemory } from './soak/memory.ts'
import { createMirror, mirrorWishes } from './soak/mirror.ts'
import { openParts } from './soak/parts.ts'
import { report } from './soak/report.ts'
import type { Run } from './soak/run.ts'
import { startService } from './soak/service.ts'
import { openWatch, persistently } from './soak/watch.ts'
import { write } from './soak/writer.ts'

/*
 * Mixed load over HTTP on moving data, while things break at random, and then a look at everything that was promised.
 * `soak [--minutes 5] [--seed 1] [--store folder|node] [--encrypted] [--keep-logs]`. The seed decides what happens and in which order, not
 * when. Files go to a folder, or to Kubo.
 */
const { minutes, seed, store: storeName, encrypted, 'keep-logs': keepsLogs } = readOptions({
  minutes: 5, seed: 1, store: 'folder', encrypted: false, 'keep-logs': false,
})
if (storeName !== 'folder' && storeName !== 'node') {
  console.error(`--store ${storeName}: expected folder or node`)
  process.exit(2)
}
const storeKind = storeName
const leaseMs = 5_000
const ttlMs = 30_000
const clientCount = 10
/** Of clients that wait for their exports when nothing breaks any more: an export that failed often waits for a minute between attempts. */
const drainMs = 240_000
/** Exports expire, and downloads of an API that was killed hold them for two minutes. */
const restMs = 300_000

runInScope(async (scope) => {
  const parts = await openParts(scope, storeKind)
  const migrated = { DATABASE_URL: parts.databaseUrl, QUEUE_URL: parts.queueUrl }
  await runScript('packages/core/src/cli/migrate.ts', { args: ['--source'], env: migrated, signal: scope.signal })
  const db = createDatabase(parts.databaseUrl, { applicationName: 'soak', onError: () => {} })
  scope.add({ stop: async () => { await db.destroy() } })
  await givenData(db)
  await sql`VACUUM ANALYZE`.execute(db)
  const watch = await openWatch(db, { leaseMs, ttlMs })
  const store = await openContentStore(parts.storeUrl)
  const logs = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-soak-logs-'))
  console.log(
    `${await describeMachine(db, parts.emptyRedis !== undefined, storeKind)}\nsoak of ${minutes} min, seed ${seed}${encrypted
      ? ', files encrypted'
      : ''}; logs in ${logs}\n`
  )

  const figures = createFigures()
  const secret = randomBytes(48).toString('base64url')
  const { workers, api, origin } = await startService(scope, { parts, logs, secret, leaseMs, ttlMs, encrypted, figures })
  const memory = createMemory()

  const faultLog = createWriteStream(join(logs, 'faults.log'))
  const loadEnd = new AbortController()
  const drainEnd = new AbortController()
  const writerEnd = new AbortController()
  scope.signal.addEventListener('abort', () => { for (const end of [loadEnd, drainEnd, writerEnd]) end.abort() })
  const randomOf = (stream: number) => createRandom(seed, stream)
  const ask = createAsk(figures, drainEnd.signal)
  const run: Run = { client: createClient(ask, { origin, secret }), ask, watch, figures, signal: drainEnd.signal }
  const mirrors = Object.entries(mirrorWishes).map(([name, wish], i) => createMirror(run, name, wish, randomOf(200 + i)))

  const beginMs = performance.now()
  async function every (ms: number, task: () => Promise<void>): Promise<void> {
    while (!writerEnd.signal.aborted) {
      await task().catch(() => {})
      await delay(ms, undefined, { signal: writerEnd.signal }).catch(() => {})
    }
  }
  const watching = [
    every(2_000, async () => { await memory.sample([api, ...workers]) }),
    every(60_000, watch.audit),
    every(30_000, async () => {
      const faults = [...figures.faults.values()].reduce((sum, count) => sum + count, 0)
      const minutesGone = ((performance.now() - beginMs) / 60_000).toFixed(1)
      console.log(`${minutesGone} min: ${figures.started} started, ${figures.completed} completed, ${figures.lost} lost, ${faults} faults`)
    }),
  ]
  const writing = write(db, [randomOf(100), randomOf(101)], writerEnd.signal)
  const clients = Array.from({ length: clientCount }, async (_, i) => { await beClient(run, `client-${i}`, randomOf(i), loadEnd.signal) })
  const following = mirrors.map(async (mirror) => { await mirror.run(loadEnd.signal) })
  const breaking = injectFaults({ parts, db, workers, api, leaseMs }, randomOf(300), figures,
    (line) => { faultLog.write(`${new Date().toISOString()} ${line}\n`) }, loadEnd.signal)

  await delay(minutes * 60_000, undefined, { signal: loadEnd.signal }).catch(() => {})
  loadEnd.abort()
  await breaking
  console.log('nothing breaks any more')
  const drainTimer = setTimeout(() => { drainEnd.abort() }, drainMs)
  await Promise.all([...clients, ...following])
  writerEnd.abort()
  await Promise.all([writing, ...watching])
  await Promise.all(mirrors.map(async (mirror) => { await mirror.complete() }))
  clearTimeout(drainTimer)
  scope.signal.throwIfAborted()

  console.log('all clients have what they asked for')
  const signal = AbortSignal.any([scope.signal, AbortSignal.timeout(restMs)])
  const differences = await persistently(
    async () => await Promise.all(mirrors.map(async (mirror) => [mirror.name, await mirror.differences(db)] as const)), scope.signal
  )
  const rest = await comeToRest({ db, store, workers }, signal)
  const outcome = {
    figures, rest, violations: await watch.findViolations(), mirrors: new Map(differences), takeovers: await watch.findTakeovers(), leaseMs,
    memory,
  }
  const isWell = report(outcome)
  if (isWell && !keepsLogs) await rm(logs, { recursive: true, force: true })
  return isWell ? 0 : 1
})
