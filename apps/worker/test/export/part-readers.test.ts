import { createDatabase } from '@fhir-bulk-export/core/db'
import { readPartsState, shareAttempt, type Attempt } from '@fhir-bulk-export/core/exports'
import { claim, eventually } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { createPartReaders } from '../../src/export/part-readers.ts'
import type { ReadPart, Readers } from '../../src/export/readers.ts'
import { givenExport, log, openService } from '../fixtures/service.ts'

const identity = 'these'
const task = { snapshot: {}, filter: {}, source: {} }

async function open (t: Test, read: ReadPart, overrides = {}) {
  const service = await openService(t)
  const { db, environment: { DATABASE_URL = '' } } = service
  const id = await givenExport(db)
  const attempt: Attempt = { id, attempt: (await claim(db, id)).attempt }
  await shareAttempt(db, attempt, identity, task, [{ items: [] }, { items: [] }])
  const own = createDatabase(DATABASE_URL, { applicationName: 'test', onError: () => {} })
  const shutdown = new AbortController()
  const withThread: Readers['withThread'] = async (work, signal) => {
    signal.throwIfAborted()
    return await work(read)
  }
  const readers: Readers = { count: 1, withThread, readHere: read, close: async () => {} }
  const partReaders = createPartReaders({ db: own, leases: db, readers, identity, log, config: service.config(overrides) }, shutdown.signal)
  return { db, own, attempt, partReaders, shutdown }
}

t.test('a worker that cannot read parts of the export of another leaves them to the others, and the attempt goes on', async (t) => {
  let reads = 0
  const { db, own, attempt, partReaders } = await open(t, async () => {
    reads++
    throw new Error('the store cannot be reached from here')
  })
  t.teardown(async () => { await own.destroy() })
  await partReaders.help()
  await partReaders.help()
  t.equal(reads, 1, 'it does not ask for parts of it again')
  t.match(await readPartsState(db, attempt), { failure: null, isGivenUp: false })
  const states = await db.selectFrom('bulk_export_parts').select('state').execute()
  t.strictSame(states, [{ state: 'waiting' }, { state: 'waiting' }])
})

t.test('after a while it tries again: what was wrong with it may have passed', async (t) => {
  let reads = 0
  const { db, own, attempt, partReaders } = await open(t, async () => {
    if (++reads === 1) throw new Error('the connection broke')
    return { rows: 1, files: 0, rowErrors: 0, lastRowError: undefined }
  }, { EXPORT_LEASE: '1s' })
  t.teardown(async () => { await own.destroy() })
  t.ok(await eventually(async () => {
    await partReaders.help()
    return (await readPartsState(db, attempt)).isRead
  }))
  t.equal(reads, 3)
})

t.test('what the worker that runs the attempt cannot read is a failure of the attempt', async (t) => {
  const { db, own, attempt, partReaders } = await open(t, async () => { throw Object.assign(new Error(), { code: 'ECONNREFUSED' }) })
  t.teardown(async () => { await own.destroy() })
  let ended = 0
  const release = partReaders.hold(attempt, new AbortController().signal, () => { ended++ })
  await partReaders.help()
  await release()
  t.ok(ended > 0, 'who waits for the parts hears of it')
  t.match(await readPartsState(db, attempt), { failure: { code: 'ECONNREFUSED' } })
})

t.test('a worker that stops hands back what it was just taking', async (t) => {
  const { db, own, attempt, partReaders, shutdown } = await open(t, async (_task, _onRows, signal) => {
    signal.throwIfAborted()
    throw new Error('it reads on')
  })
  const lock = await db.startTransaction().execute()
  await sql`LOCK TABLE bulk_export_parts`.execute(lock)
  partReaders.wake()
  await eventually(async () => (await sql`SELECT FROM pg_locks WHERE NOT granted AND relation = 'bulk_export_parts'::regclass`
    .execute(db)).rows.length > 0)
  shutdown.abort()
  const closed = partReaders.close().then(async () => { await own.destroy() })
  await lock.rollback().execute()
  await closed
  t.match(await readPartsState(db, attempt), { failure: null })
  const states = await db.selectFrom('bulk_export_parts').select('state').execute()
  t.strictSame(states, [{ state: 'waiting' }, { state: 'waiting' }])
})
