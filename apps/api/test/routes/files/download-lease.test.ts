import { createDatabase } from '@fhir-bulk-export/core/db'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import t from 'tap'
import { pino } from 'pino'
import { holdDownload } from '../../../src/routes/files/download-lease.ts'
import { startApi } from '../../fixtures/api.ts'
import { complete, kickOff } from '../../fixtures/exports.ts'

const log = pino({ level: 'silent' })

t.test('a lease is renewed for as long as it may be, and is gone once it is released', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api)
  await complete(api, id, [])
  const findLease = async () => await api.db.selectFrom('bulk_export_downloads').selectAll().executeTakeFirst()

  const lease = await holdDownload(api.db, { exportId: id, fileName: 'Patient.1.ndjson', by: {} }, log, {
    leaseMs: 60_000, renewEveryMs: 10, renewForMs: 60_000,
  })
  const first = await findLease()
  t.equal(first?.export_id, id)
  await eventually(async () => Number((await findLease())?.lease_until) > Number(first?.lease_until))
  await lease?.release({ bytes: 1, isWhole: true })
  t.equal(await findLease(), undefined)

  const short = await holdDownload(api.db, { exportId: id, fileName: 'Patient.1.ndjson', by: {} }, log, {
    leaseMs: 20, renewEveryMs: 5, renewForMs: 50,
  })
  await eventually(async () => (await api.db.selectFrom('bulk_export_downloads').select('id')
    .where((eb) => eb('lease_until', '<', eb.fn<Date>('clock_timestamp'))).execute()).length === 1)
  await short?.release({ bytes: 1, isWhole: true })
})

t.test('there is no lease on an export that has no files to give', async (t) => {
  const api = await startApi(t)
  const pending = await kickOff(api)
  t.equal(await holdDownload(api.db, { exportId: pending, fileName: 'Patient.1.ndjson', by: {} }, log), undefined)
  const expired = await kickOff(api)
  await complete(api, expired, [], 0)
  t.equal(await holdDownload(api.db, { exportId: expired, fileName: 'Patient.1.ndjson', by: {} }, log), undefined)
})

t.test('a database that goes away takes the lease along, not the download', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api)
  await complete(api, id, [])
  const lines: string[] = []
  const db = createDatabase(api.config.DATABASE_URL, { applicationName: 'api-test', onError: () => {} })
  const lease = await holdDownload(
    db, { exportId: id, fileName: 'Patient.1.ndjson', by: {} }, pino({}, { write: (line: string) => { lines.push(line) } }),
    { leaseMs: 60_000, renewEveryMs: 5, renewForMs: 60_000 }
  )
  await db.destroy()
  await eventually(async () => lines.some((line) => line.includes('could not be renewed')))
  await lease?.release({ bytes: 1, isWhole: true })
  t.ok(lines.some((line) => line.includes('could not be ended')))
})
