import { assertMigrated, assertOwnSessions, createDatabase, type Pools } from '@fhir-bulk-export/core/db'
import { createLog, logStartFailure } from '@fhir-bulk-export/core/log'
import { createApiMetrics, observeStore, openMetrics } from '@fhir-bulk-export/core/metrics'
import { assertQueueUsable, createExportQueue } from '@fhir-bulk-export/core/queue'
import { assertApiReads } from '@fhir-bulk-export/core/source'
import { openContentStore } from '@fhir-bulk-export/core/store'
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { readApiConfig, type ApiConfig } from './config.ts'

/** After a signal, for downloads to finish and requests to arrive. */
const graceMs = 25_000
/** For all of it. */
const shutdownMs = 30_000
/** None of our statements takes more than milliseconds; one that takes this long is answered with 503. */
const statementTimeoutMs = 10_000

let log = createLog('fhir-bulk-export-api', 'info')
try {
  const config = readApiConfig(process.env)
  log = createLog('fhir-bulk-export-api', config.LOG_LEVEL)
  await start(config)
} catch (err) {
  logStartFailure(log, err)
  process.exit(1)
}

async function start (config: ApiConfig): Promise<void> {
  const metrics = createApiMetrics()
  const pools: Pools = new Map()
  const warn = (what: string) => (err: Error) => { log.warn({ err }, what) }
  const db = createDatabase(config.DATABASE_URL, {
    applicationName: 'fhir-bulk-export-api', statementTimeoutMs, pools, onError: warn('a connection to the database broke'),
  })
  await assertOwnSessions(config.DATABASE_URL)
  await assertMigrated(db)
  await assertApiReads(db)
  await assertQueueUsable(config.QUEUE_URL)
  const store = observeStore(await openContentStore(config.IPFS_URL), metrics)
  const queue = createExportQueue(config.QUEUE_URL, { onError: warn('the connection to the queue broke') })
  const app = await buildApp({ config, db, queue, store, log, metrics })
  const metricsServer = await openMetrics(config, metrics, { db, queue, pools })

  closeWithGrace({ delay: shutdownMs, logger: log }, async function close ({ err, signal }) {
    if (err === undefined) log.info({ signal }, 'closing')
    else log.fatal({ err }, 'closing after an uncaught error')
    const grace = setTimeout(() => { app.server.closeAllConnections() }, graceMs)
    await app.close()
    await metricsServer?.close()
    clearTimeout(grace)
    await queue.close()
    await store.close()
    await db.destroy()
  })
  await app.listen({ host: config.HOST, port: config.PORT })
}
