import { randomUUID } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import type { Database } from '@fhir-bulk-export/core/db'
import { cancelExport, findPublishedFiles, publishExport, type Attempt } from '@fhir-bulk-export/core/exports'
import { openContentStore, toFileKey, type ContentStore } from '@fhir-bulk-export/core/store'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { claim as claimExport, keptKeys, lease, openDatabase, readText } from '@fhir-bulk-export/core/testing/database'
import { sql, type Kysely } from 'kysely'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t, { type Test } from 'tap'
import { Interruption } from '../src/interruption.ts'
import { writeFile, type Lines } from '../src/files/write-file.ts'
import { runBulkExportCleanup } from '../src/tasks/bulk-export-cleanup.task.ts'
import { startNode } from './fixtures/ipfs-node.ts'
import { givenExport, log } from './fixtures/service.ts'

/** The invariant: what the store keeps under our keys is what the live files of the ledger name, whatever broke when. */

interface Ledger { db: Kysely<Database>, store: ContentStore, expectForeign: (t: Test) => Promise<void> }

const stores: Record<string, (t: Test) => Promise<Pick<Ledger, 'store' | 'expectForeign'>>> = {
  async folder (t) {
    return { store: await openContentStore(pathToFileURL(t.testdir()).href), expectForeign: async () => {} }
  },
  async node (t) {
    const node = await startNode(t)
    // Pins of somebody else: a file, equal bytes to ours among them, and a folder that looks a little like ours.
    const pins: string[] = []
    for (const [name,
      content] of [['foreign.txt', 'somebody else has this'], ['same.ndjson', patients], ['d/Patient.1.ndjson', patients]] as const) {
      const form = new FormData()
      form.append('file', new Blob([content]), encodeURIComponent(name))
      const added = (await node.call('add?pin=true&cid-version=0', form)).trim().split('\n')
        .map((line): { Hash: string } => JSON.parse(line))
      pins.push(added.at(-1)?.Hash ?? '')
    }
    const expectForeign = async (t: Test) => {
      const listed = await node.call('pin/ls?type=recursive')
      for (const pin of pins) t.ok(listed.includes(pin), 'a foreign pin stays')
    }
    return { store: await openContentStore(node.url), expectForeign }
  },
}

const patients = '{"resourceType":"Patient","id":"1"}\n'.repeat(20_000)
const progress = { progress: 99, total_resources: 1, exported_resources: 1 }
const never = new AbortController().signal

const death = new Error('the worker died')
const crash = async (): Promise<never> => { throw death }

async function * lines (text = patients): AsyncGenerator<Lines> {
  yield { bytes: Buffer.from(text.slice(0, text.length / 2)), count: 10_000 }
  yield { bytes: Buffer.from(text.slice(text.length / 2)), count: 10_000 }
}

async function open (t: Test, openStore: (typeof stores)[string]): Promise<Ledger> {
  const url = await createTestDatabase(t)
  const db = openDatabase(t, url)
  return { db, ...await openStore(t) }
}

async function claim ({ db }: Ledger, id: string): Promise<Attempt> {
  return await claimExport(db, id, { ...lease, maxFailures: 100 })
}

async function write ({ db, store }: Ledger, { id, attempt }: Attempt, n: number, source: AsyncIterable<Lines> = lines()): Promise<void> {
  await writeFile({ db, store, keyring: undefined }, { export_id: id, attempt, n, list: 'output', type: 'Patient' }, source, never)
}

async function publish ({ db }: Ledger, attempt: Attempt, files: number): Promise<boolean> {
  return await publishExport(db, attempt, { files, transactionTime: new Date(), ttlMs: 60_000, progress })
}

async function letLeaseRunOut ({ db }: Ledger, { id }: Attempt): Promise<void> {
  await sql`UPDATE bulk_export_jobs SET available_at = now() - interval '1 ms' WHERE id = ${id}`.execute(db)
}

async function cleanUp ({ db, store }: Ledger, faults: Partial<ContentStore> = {}): Promise<void> {
  await runBulkExportCleanup({ db, store: { ...store, ...faults }, log })
}

async function assertInvariant (t: Test, ledger: Ledger): Promise<void> {
  const { db, store } = ledger
  await cleanUp(ledger)
  const live = await db.selectFrom('bulk_export_files').selectAll().where('state', 'in', ['stored', 'published']).execute()
  t.same(await keptKeys(store), live.map(toFileKey).sort(), 'what is kept is what live files name')
  for (const file of live) t.equal(await readText(store, file), patients)
  await ledger.expectForeign(t)
}

/** The first attempt dies here; each leaves something else behind. */
const deaths: Record<string, (ledger: Ledger, attempt: Attempt) => Promise<void>> = {
  'between intent and the first byte': async (ledger, attempt) => {
    await write({ ...ledger, store: { ...ledger.store, put: crash } }, attempt, 1)
  },
  'in mid-file': async (ledger, attempt) => {
    await write(ledger, attempt, 1, (async function * () {
      yield * lines()
      throw death
    })())
  },
  'between the last byte and the record': async (ledger, attempt) => {
    const put: ContentStore['put'] = async (...args) => {
      await ledger.store.put(...args)
      return await crash()
    }
    await write({ ...ledger, store: { ...ledger.store, put } }, attempt, 1)
  },
  'between the record and the next file': async (ledger, attempt) => {
    await write(ledger, attempt, 1)
    throw death
  },
  'between the last record and publishing': async (ledger, attempt) => {
    for (const n of [1, 2, 3]) await write(ledger, attempt, n)
    throw death
  },
}

for (const [name, openStore] of Object.entries(stores)) {
  const { skip } = name === 'node' ? needs('kubo') : needs()
  t.test(name, { skip }, async (t) => {
    const ledger = await open(t, openStore)
    const { db, store } = ledger

    for (const [when, die] of Object.entries(deaths)) {
      t.test(`an attempt that dies ${when} leaves nothing, and the next one loses nothing`, async (t) => {
        const first = await claim(ledger, await givenExport(db))
        await t.rejects(die(ledger, first), { message: death.message })
        await letLeaseRunOut(ledger, first)
        const second = await claim(ledger, first.id)
        await write(ledger, second, 1)
        t.equal(await publish(ledger, second, 1), true)
        await assertInvariant(t, ledger)
        t.equal((await findPublishedFiles(db, first.id))?.length, 1)
      })
    }

    t.test('a worker that wakes up after its file was swept stores it and is told that it lost', async (t) => {
      const first = await claim(ledger, await givenExport(db))
      let wake = (): void => {}
      const awake = new Promise<void>((resolve) => { wake = resolve })
      const sleeper = write(ledger, first, 1, (async function * () {
        await awake
        yield * lines()
      })())
      const lost = t.rejects(sleeper, new Interruption('lost'))
      await letLeaseRunOut(ledger, first)
      const second = await claim(ledger, first.id)
      await write(ledger, second, 1)
      await publish(ledger, second, 1)
      await cleanUp(ledger, { collectGarbage: async () => {} }) // it would wait for the sleeper's add
      wake()
      await lost
      await assertInvariant(t, ledger)
    })

    t.test('an attempt that comes too late to publish leaves nothing', async (t) => {
      const attempt = await claim(ledger, await givenExport(db))
      await write(ledger, attempt, 1)
      await cancelExport(db, attempt.id, 60_000)
      t.equal(await publish(ledger, attempt, 1), false)
      await assertInvariant(t, ledger)
    })

    t.test('a drop that breaks off, before or after the pin is gone, is done again', async (t) => {
      for (const drop of [crash, async (...args: Parameters<ContentStore['drop']>) => {
        await store.drop(...args)
        await crash()
      }]) {
        const attempt = await claim(ledger, await givenExport(db))
        await write(ledger, attempt, 1)
        await publish(ledger, attempt, 1)
        await cancelExport(db, attempt.id, 60_000)
        await cleanUp(ledger, { drop })
        t.match(await db.selectFrom('bulk_export_files').select('state').where('export_id', '=', attempt.id).execute(),
          [{ state: 'published' }], 'the ledger does not forget what it could not drop')
        await assertInvariant(t, ledger)
      }
    })

    t.test('a listing that breaks off drops nothing that is needed, and the next one does the rest', async (t) => {
      const attempt = await claim(ledger, await givenExport(db))
      await write(ledger, attempt, 1)
      await publish(ledger, attempt, 1)
      const orphan = toFileKey({ export_id: attempt.id, attempt: 0, n: 1 })
      await sql`INSERT INTO bulk_export_files (export_id, attempt, n, list, type) VALUES
        (${attempt.id}, 0, 1, 'output', 'Patient')`.execute(db)
      await store.put(orphan, (async function * () { yield Buffer.from('{}\n') })())
      const list: ContentStore['list'] = async function * () {
        yield * []
        throw death
      }
      await cleanUp(ledger, { list }) // each step stands alone
      await assertInvariant(t, ledger)
      t.notOk((await keptKeys(store)).includes(orphan))
    })

    t.test('a file that the ledger does not know is not ours to drop', async (t) => {
      const foreign = toFileKey({ export_id: randomUUID(), attempt: 1, n: 1 })
      const { pin } = await store.put(foreign, (async function * () { yield Buffer.from('{}\n') })())
      await cleanUp(ledger)
      t.ok((await keptKeys(store)).includes(foreign))
      await store.drop({ key: foreign, pin })
    })
  })

  t.test(`${name}: dropping or expiring one of two equal exports leaves the other whole`, { skip }, async (t) => {
    const ledger = await open(t, openStore)
    const { db, store } = ledger
    const attempts: Attempt[] = []
    for (let i = 0; i < 4; i++) {
      const attempt = await claim(ledger, await givenExport(db))
      await write(ledger, attempt, 1)
      await publish(ledger, attempt, 1)
      attempts.push(attempt)
    }
    const [deleted, expired, , kept] = attempts
    if (deleted === undefined || expired === undefined || kept === undefined) throw new Error('four attempts')
    const written = new AbortController()
    const writing = (async () => {
      for (let i = 0; i < 5; i++) {
        const attempt = await claim(ledger, await givenExport(db))
        await write(ledger, attempt, 1)
        await publish(ledger, attempt, 1)
      }
      written.abort()
    })()
    await cancelExport(db, deleted.id, 60_000)
    await sql`UPDATE bulk_export_jobs SET expires_at = now() WHERE id = ${expired.id}`.execute(db)
    while (!written.signal.aborted) {
      await runBulkExportCleanup({ db, store, log })
      await store.collectGarbage()
    }
    await writing
    const cids = (await db.selectFrom('bulk_export_files').select('cid').where('state', '=', 'published').execute()).map(({ cid }) => cid)
    t.equal(new Set(cids).size, 1)
    t.ok((await findPublishedFiles(db, kept.id))?.length === 1)
    await assertInvariant(t, ledger)
  })
}
