import { findExport } from '@fhir-bulk-export/core/exports'
import { sample } from '@fhir-bulk-export/stack/sample'
import t from 'tap'
import { assertExported, assertNothingLeft } from './fixtures/exports.ts'
import { allParts } from './fixtures/parts.ts'
import { patients, stages } from './fixtures/stages.ts'
import { openStoppedExport } from './fixtures/stopped-export.ts'

/** SIGTERM in every place, as in a rolling restart: what the worker is in the middle of goes on, and then it ends by itself. */

for (const { name, open, skip } of allParts) {
  t.test(name, { skip, jobs: 2 }, async (t) => {
    for (const [stage, breakIn] of sample(`terminated ${name}`, 1, Object.entries(stages))) {
      t.test(`told to stop while ${stage}`, { buffered: true }, async (t) => {
        const { system, breakpoint, worker, id } = await openStoppedExport(t, await open(t), breakIn)
        worker.kill('SIGTERM')
        await breakpoint.release()
        t.equal(await worker.ended, 0)
        t.match(await findExport(system.db, id), { failures: 0, leased: false }, 'nobody has to wait for a lease')
        await system.startWorker()
        const { failures } = await assertExported(t, system, id, patients)
        t.equal(failures, 0)
        await assertNothingLeft(t, system)
      })
    }
  })
}
