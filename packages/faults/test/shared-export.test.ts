import { createExportQueue, createExportWorker, partQueueName } from '@fhir-bulk-export/core/queue'
import { sample } from '@fhir-bulk-export/stack/sample'
import t, { type Test } from 'tap'
import type { System } from '../src/system.ts'
import { assertExported, assertNothingLeft, longLease, startExport } from './fixtures/exports.ts'
import { allParts } from './fixtures/parts.ts'
import { countParts, helperStages, openSharing, patients } from './fixtures/shared-export.ts'

/** One export that several workers read: whoever of them dies, sleeps or stops, at any place. */

const endings = ['lose', 'release'] as const
const allStages = Object.keys(helperStages) as Array<keyof typeof helperStages>
const toWords = (last: typeof endings[number]): string => last === 'lose' ? 'lost' : 'carried out'

/**
 * Another attempt did the work. It need not be the second one: a helper that stands before what it records has the export's row locked, so
 * that the holder may lose its lease before it is killed.
 */
async function assertTakenOver (t: Test, system: System, id: string): Promise<void> {
  const { attempt, failures } = await assertExported(t, system, id, patients)
  t.ok(attempt > 1)
  t.equal(failures, attempt - 1)
}

t.jobs = 2

for (const { name, open, skip } of sample('parts of the system', 1, allParts)) {
  t.test(name, { skip, buffered: true, jobs: 2 }, async (t) => {
    for (const last of sample(`helper killed ${name}`, 1, endings)) {
      t.test(`a helper is killed, whose last words are ${toWords(last)}: the attempt goes on`, { buffered: true }, async (t) => {
        const { system, startWorker, shareExport } = await openSharing(t, await open(t))
        await startWorker('holder', { EXPORT_LEASE: longLease, EXPORT_ATTEMPTS: '1' })
        for (const stage of sample(`helper killed ${name} ${last}`, 1, allStages)) {
          await t.test(`while ${stage}`, async (t) => {
            const { id, helper, holding, helping } = await shareExport(t, stage)
            await helper.end('SIGKILL')
            await helping[last]()
            await holding.release()
            t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
          })
        }
        await startWorker('another') // what was pinned and not written down is found by the cleanup, with which a worker begins
        await assertNothingLeft(t, system)
      })
    }

    t.test('a helper sleeps until the export is done: nothing is changed', { buffered: true }, async (t) => {
      const { system, startWorker, shareExport, swapRoles } = await openSharing(t, await open(t), {
        EXPORT_LEASE: '6s', // the holder's outlives a pause, and the part of the helper that sleeps is waited for
      })
      let holder = await startWorker('holder')
      for (const stage of sample(`helper paused ${name}`, 1, allStages)) {
        await t.test(`while ${stage}`, async (t) => {
          const { id, helper, holding, helping } = await shareExport(t, stage)
          helper.kill('SIGSTOP')
          await helping.release()
          await holding.release()
          t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
          helper.kill('SIGCONT')
          t.equal(await holder.end('SIGTERM'), 0)
          await assertExported(t, system, await startExport(system), patients)
          t.equal(helper.lines.filter((line) => line.includes('"level":60')).length, 0)
          holder = helper
          swapRoles()
        })
      }
      t.equal(await holder.end('SIGTERM'), 0)
      await startWorker('another')
      await assertNothingLeft(t, system)
    })

    t.test('a helper is told to stop: it hands its part back', { buffered: true }, async (t) => {
      const { system, startWorker, shareExport } = await openSharing(t, await open(t))
      await startWorker('holder', { EXPORT_LEASE: longLease })
      for (const stage of sample(`helper terminated ${name}`, 1, allStages)) {
        await t.test(`while ${stage}`, async (t) => {
          const { id, helper, holding, helping } = await shareExport(t, stage)
          helper.kill('SIGTERM')
          await helping.release()
          t.equal(await helper.ended, 0)
          const taken = await system.db.selectFrom('bulk_export_parts').select('losses').where('state', '=', 'reading').execute()
          t.same(taken, [{ losses: 0 }], "the holder's, and no other")
          await holding.release()
          t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
          await assertNothingLeft(t, system)
        })
      }
    })

    for (const last of sample(`holder killed ${name}`, 1, endings)) {
      t.test(`the holder is killed, and the words of its helper are ${toWords(last)}: a new attempt`, { buffered: true }, async (t) => {
        const { system, startWorker, shareExport, swapRoles } = await openSharing(t, await open(t))
        let holder = await startWorker('holder')
        for (const stage of sample(`holder killed ${name} ${last}`, 1, allStages)) {
          await t.test(`while the helper is ${stage}`, async (t) => {
            const { id, helper, holding, helping } = await shareExport(t, stage)
            await holder.end('SIGKILL')
            await holding.lose()
            await helping[last]()
            await assertTakenOver(t, system, id)
            t.equal(helper.lines.filter((line) => line.includes('"level":60')).length, 0)
            holder = helper
            swapRoles()
          })
        }
        t.equal(await holder.end('SIGTERM'), 0) // what it stores for the first attempts until then is found by the cleanup
        await startWorker('another')
        await assertNothingLeft(t, system)
      })
    }

    t.test('the worker that has the snapshot sleeps until the export is done: it changes nothing', { buffered: true }, async (t) => {
      const { system, startWorker, shareExport } = await openSharing(t, await open(t))
      const holder = await startWorker('holder')
      const { id, holding, helping } = await shareExport(t, 'stored, not recorded')
      holder.kill('SIGSTOP')
      await holding.release()
      await helping.release()
      await assertTakenOver(t, system, id)
      holder.kill('SIGCONT')
      await assertExported(t, system, await startExport(system), patients)
      await startWorker('another')
      await assertNothingLeft(t, system)
    })

    t.test('rings for parts come twice, late and for nothing: every row is read once', { buffered: true }, async (t) => {
      const parts = await open(t)
      const { system, startWorker, stopAt } = await openSharing(t, parts, { EXPORT_LEASE: longLease })
      const bell = createExportQueue(parts.queueUrl, { name: partQueueName, onError: () => {} })
      t.teardown(bell.close)
      const ring = async (id: string) => { for (let n = 1; n <= 20; n++) await bell.enqueue(`${id}.1.${n}`).catch(() => {}) }
      const stops = [await stopAt(t, 'a', 'a part taken, nothing stored'), await stopAt(t, 'b', 'a part taken, nothing stored')]
      const workers = await Promise.all(['a', 'b'].map(async (name) => await startWorker(name)))
      const ids = [await startExport(system), await startExport(system)]
      await Promise.all(ids.map(ring))
      for (const stop of stops) await stop.reached() // each has a part to read
      for (const stop of stops) await stop.release()
      for (const id of ids) t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
      await Promise.all([...ids, 'no-export'].map(ring))
      t.match(await assertExported(t, system, await startExport(system), patients), { attempt: 1, failures: 0 })
      t.ok(workers.every((worker) => countParts(worker) > 0), 'both have read')
      await assertNothingLeft(t, system)
    })

    t.test('a worker of another version or other settings reads no part, and may take the export over', { buffered: true }, async (t) => {
      const parts = await open(t)
      const { system, startWorker, shareExport } = await openSharing(t, parts)
      const holder = await startWorker('holder')
      const { id, helper, holding, helping } = await shareExport(t, 'a part taken, nothing stored')
      const other = await startWorker('other', { MRN_SYSTEM: 'https://other.example.org', EXPORT_PART_BYTES: '64MiB' })
      // What the queue of exports has is theirs, whatever the version: its jobs are exports.
      const seen: Array<string | undefined> = []
      const older = createExportWorker(parts.queueUrl, async (job) => { seen.push(job.id) },
        { concurrency: 1, leaseMs: 2_000, onError: () => {} })
      older.run().catch(() => {})
      t.teardown(async () => { await older.close() })
      for (const worker of [holder, helper]) worker.kill('SIGKILL')
      await Promise.all([holder.ended, helper.ended])
      await holding.lose()
      await helping.lose()
      await assertTakenOver(t, system, id)
      t.equal(countParts(other), 0)
      t.ok(seen.every((jobId) => jobId === id))
      await assertNothingLeft(t, system)
    })
  })
}
