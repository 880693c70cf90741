import { writeFile } from 'node:fs/promises'
import { createDatabase } from '@fhir-bulk-export/core/db'
import { createLog } from '@fhir-bulk-export/core/log'
import { createApiMetrics } from '@fhir-bulk-export/core/metrics'
import { createExportQueue } from '@fhir-bulk-export/core/queue'
import { openContentStore } from '@fhir-bulk-export/core/store'
import { buildApp } from '../app.ts'
import { readApiConfig } from '../config.ts'

/* `cli.ts <file>`: writes the OpenAPI document there, with all routes that there can be. Nothing that the service needs is asked. */

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: cli.ts <file>')

const nobody = '127.0.0.1:1'
const config = readApiConfig({
  DATABASE_URL: `postgres://nobody@${nobody}/none`,
  QUEUE_URL: `postgres://nobody@${nobody}/none`,
  IPFS_URL: `http://${nobody}`,
  JWT_SECRET: 'signs nothing: no request is answered',
  PUBLIC_URL: 'https://fhir.hospital.test',
})
const onError = () => {}
const db = createDatabase(config.DATABASE_URL, { applicationName: 'fhir-bulk-export-openapi', onError })
const queue = createExportQueue(config.QUEUE_URL, { onError })
const store = await openContentStore(config.IPFS_URL)
const log = createLog('fhir-bulk-export-openapi', 'silent')
const app = await buildApp({ config, db, queue, store, log, metrics: createApiMetrics() })
await app.ready()
await writeFile(file, `${JSON.stringify(app.swagger(), null, 2)}\n`)
await app.close()
await queue.close()
await store.close()
await db.destroy()
