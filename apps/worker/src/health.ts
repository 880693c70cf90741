import { databaseConfig, readConfig } from '@fhir-bulk-export/core/config'
import { createDatabase } from '@fhir-bulk-export/core/db'
import { Type } from '@sinclair/typebox'
import { isWorking } from './is-working.ts'

/* For an orchestrator: exits with 0 if the worker beside it works, else with 1 and the reason. */

const longestSilenceMs = 60_000 // many ticks: one of them may have thousands of files to drop

try {
  const { DATABASE_URL } = readConfig(Type.Object(databaseConfig), process.env)
  const db = createDatabase(DATABASE_URL, { applicationName: 'fhir-bulk-export-health', max: 1, statementTimeoutMs: 5_000, onError: console.error })
  try {
    if (!await isWorking(db, longestSilenceMs)) throw new Error(`PostgreSQL has not heard of the worker for ${longestSilenceMs / 1_000} s`)
  } finally {
    await db.destroy()
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
