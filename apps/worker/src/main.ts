import closeWithGrace from 'close-with-grace'
import { findEncryptionConflicts, readConfig } from '@fhir-bulk-export/core/config'
import { createLog } from '@fhir-bulk-export/core/log'
import { configSchema } from './config.ts'
import { buildWorker } from './worker.ts'

try {
  const config = readConfig(configSchema, process.env, findEncryptionConflicts)
  const log = createLog('worker', config.LOG_LEVEL)
  const worker = await buildWorker(config, log)
  closeWithGrace({ delay: 30_000, logger: log }, async ({ signal, err }) => {
    if (err !== undefined) log.fatal({ err }, 'unexpected error')
    log.info({ signal }, 'worker stops')
    await worker.close()
  })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
