import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findExport, findPublishedFiles } from '@fhir-bulk-export/core/exports'
import { toFileKey } from '@fhir-bulk-export/core/store'
import { ended, eventually, givenLargePatients, keptKeys } from '@fhir-bulk-export/core/testing/database'
import { startProxy } from '@fhir-bulk-export/stack/proxy'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t, { type Test } from 'tap'
import { startNode } from './fixtures/ipfs-node.ts'
import { openService, openWith, readExport, type Service } from './fixtures/service.ts'

/** Between two attempts: the first has failed, the next one waits. */
async function waiting ({ db }: Service, id: string) {
  return await eventually(async () => {
    const row = await findExport(db, id)
    return row !== undefined && row.failures > 0 && !row.leased && row
  })
}

/** What is kept is what is published, as soon as the sweep has been there. */
async function assertNothingElseKept (t: Test, { db, store }: Service, id: string): Promise<void> {
  const published = (await findPublishedFiles(db, id) ?? []).map(toFileKey).sort()
  t.same(await eventually(async () => {
    const kept = await keptKeys(store)
    return kept.length <= published.length && kept
  }), published)
}

t.test('a node that is cut off in mid-file: the export waits, says why, and is done again with new files', needs('kubo'), async (t) => {
  const node = await startNode(t)
  const proxy = await startProxy(t, node.url)
  const service = await openService(t, { IPFS_URL: proxy.url })
  await givenLargePatients(service.db, 3_000)
  await service.startWorker()
  proxy.cutAfter(2_000_000)
  const id = await service.kickOff({ types: ['Patient'] })
  t.match(await waiting(service, id), { status: 'in_progress', failures: 1, failure_reason: 'the content store is unavailable' })
  t.equal(await findPublishedFiles(service.db, id), undefined)
  proxy.mend()
  const row = await ended(service, id)
  t.match(row, { status: 'completed', exported_resources: 3_000, failure_reason: null })
  t.ok(row.attempt > 1)
  const ids = Object.values(await readExport(service, id)).flat().map((patient) => patient.id)
  t.equal(ids.length, 3_000)
  t.equal(new Set(ids).size, 3_000)
  await assertNothingElseKept(t, service, id)
})

t.test('a node that stays away fails the export after its last attempt, with a reason that a person understands', needs('kubo'), async (
  t
) => {
  const node = await startNode(t)
  const proxy = await startProxy(t, node.url)
  const service = await openWith(t, 10, { IPFS_URL: proxy.url })
  await service.startWorker({ EXPORT_ATTEMPTS: '2' })
  proxy.cut()
  t.match(await service.run({ types: ['Patient'] }),
    { status: 'failed', attempt: 2, failures: 2, failure_reason: 'the content store is unavailable' })
})

/** A disk of its own, so small that it is full soon. Only root can make one. */
async function startDisk (t: Test, bytes: number) {
  const directory = await mkdtemp(join(tmpdir(), 'small-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory])
  t.teardown(async () => {
    if (status === 0) spawnSync('umount', ['-l', directory])
    await rm(directory, { recursive: true, force: true })
  })
  const grow = (size: number) => { spawnSync('mount', ['-o', `remount,size=${size}`, directory]) }
  return status === 0 ? { directory, grow } : undefined
}

t.test('a disk that is full: nothing half-written is kept, and the export completes once there is room', async (t) => {
  const disk = await startDisk(t, 2_000_000)
  if (disk === undefined) {
    t.skip('a disk of its own can be made by root alone', async () => {})
    return
  }
  const service = await openService(t, { IPFS_URL: pathToFileURL(disk.directory).href })
  await givenLargePatients(service.db, 3_000)
  await service.startWorker({ EXPORT_ATTEMPTS: '10' })
  const id = await service.kickOff({ types: ['Patient'] })
  t.match(await waiting(service, id), { status: 'in_progress', failure_reason: 'the content store is full' })
  t.equal(await findPublishedFiles(service.db, id), undefined)
  disk.grow(200_000_000)
  t.match(await ended(service, id), { status: 'completed', exported_resources: 3_000, failure_reason: null })
  await assertNothingElseKept(t, service, id)
})
