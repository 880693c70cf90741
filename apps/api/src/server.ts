import { assertMigrated, createDatabase } from '@fhir-bulk-export/core/db'
import { isServiceError } from '@fhir-bulk-export/core/errors'
import { createLog } from '@fhir-bulk-export/core/log'
import { assertQueueUsable, createExportQueue } from '@fhir-bulk-export/core/queue'
import { assertApiReads } from '@fhir-bulk-export/core/source'
import { openContentStore } from '@fhir-bulk-export/core/store'
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { readApiConfig } from './config.ts'
import type { ApiConfig } from './config.ts'

/** Downloads get this long to finish after a signal, and requests to arrive. */
const graceMs = 25_000
/** The rest has to be closed by then. */
const shutdownMs = 30_000
/** None of our statements takes more than milliseconds; one that takes this long is answered with 503. */
const statementTimeoutMs = 10_000

const config = readConfigOrExit()
const log = createLog('fhir-bulk-export-api', config.LOG_LEVEL)
try {
  await start()
} catch (err) {
  log.fatal({ err }, 'the API cannot start')
  process.exit(1)
}

function readConfigOrExit (): ApiConfig {
  try {
    return readApiConfig(process.env)
  } catch (error) {
    if (!isServiceError(error, 'CONFIG_INVALID')) throw error
    console.error(`The API cannot start:\n${error.message}`)
    process.exit(1)
  }
}

async function start (): Promise<void> {
  const warn = (what: string) => (err: Error) => { log.warn({ err }, what) }
  const db = createDatabase(config.DATABASE_URL, {
    applicationName: 'fhir-bulk-export-api', statementTimeoutMs, onError: warn('a connection to the database broke'),
  })
  await assertMigrated(db)
  await assertApiReads(db)
  await assertQueueUsable(config.QUEUE_URL)
  const store = await openContentStore(config.IPFS_URL)
  const queue = createExportQueue(config.QUEUE_URL, { onError: warn('the connection to the queue broke') })
  const app = await buildApp({ config, db, queue, store, log })

  closeWithGrace({ delay: shutdownMs, logger: log }, async function close ({ err, signal }) {
    if (err === undefined) log.info({ signal }, 'closing')
    else log.fatal({ err }, 'closing after an error that nobody caught')
    const grace = setTimeout(() => { app.server.closeAllConnections() }, graceMs)
    await app.close()
    clearTimeout(grace)
    await queue.close()
    await store.close()
    await db.destroy()
  })
  await app.listen({ host: config.HOST, port: config.PORT })
}
