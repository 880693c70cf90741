import { createPool } from '@fhir-bulk-export/core/db'
import { readOptions } from '@fhir-bulk-export/stack/options'
import { seedObservations } from './setup/seed-resources.ts'
import { seedPatients, seedRecords } from './setup/seed.ts'

/*
 * Fills the source tables of DATABASE_URL (`migrate --source`): patients, each with a document, a consent, a provenance and an observation.
 * `seed [--patients 1000000]`
 */
const { patients } = readOptions({ patients: 1_000_000 })
const url = process.env.DATABASE_URL
if (url === undefined || url === '') throw new Error('DATABASE_URL is not set')

const pool = createPool(url, { applicationName: 'bench-seed', max: 1, onError: (error) => { console.error(error.message) } })
const begin = performance.now()
for (let from = 0; from < patients; from += 100_000) {
  const to = Math.min(patients, from + 100_000)
  await seedPatients(pool, from + 1, to)
  await seedRecords(pool, from + 1, to)
  await seedObservations(pool, from + 1, to)
  const rate = Math.round(5 * to / ((performance.now() - begin) / 1_000))
  console.log(`${(5 * to).toLocaleString('en-US')} rows, ${rate.toLocaleString('en-US')} a second`)
}
await pool.query('VACUUM ANALYZE')
await pool.end()
