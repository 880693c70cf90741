import closeWithGrace from 'close-with-grace'
import { findEncryptionConflicts, readConfig } from '@fhir-bulk-export/core/config'
import { createLog, logStartFailure } from '@fhir-bulk-export/core/log'
import { configSchema } from './config.ts'
import { buildWorker } from './worker.ts'

let log = createLog('worker', 'info')
try {
  const config = readConfig(configSchema, process.env, findEncryptionConflicts)
  log = createLog('worker', config.LOG_LEVEL)
  const starting = buildWorker(config, log)
  // Before it has started: from its first job on it has to hand back what it took.
  closeWithGrace({ delay: 30_000, logger: log }, async ({ signal, err }) => {
    if (err !== undefined) log.fatal({ err }, 'unexpected error')
    log.info({ signal }, 'worker stops')
    await starting.then(async (worker) => { await worker.close() }, () => {}) // told below
  })
  await starting
} catch (err) {
  logStartFailure(log, err)
  process.exit(1) // a connection that was cut while it opened may still be held by its library
}
