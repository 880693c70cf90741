import { findExport } from '@fhir-bulk-export/core/exports'
import { sample } from '@fhir-bulk-export/stack/sample'
import t from 'tap'
import { assertExported, assertNothingLeft, startExport } from './fixtures/exports.ts'
import { allParts } from './fixtures/parts.ts'
import { patients, stages } from './fixtures/stages.ts'
import { openStoppedExport } from './fixtures/stopped-export.ts'

/** SIGSTOP, and SIGCONT when the export is another worker's: a laptop that was closed, a virtual machine that was moved. */

for (const { name, open, skip } of allParts) {
  t.test(name, { skip, jobs: 2 }, async (t) => {
    for (const [stage, breakIn] of sample(`paused ${name}`, 1, Object.entries(stages))) {
      t.test(`paused while ${stage}, until somebody else has done the work`, { buffered: true }, async (t) => {
        const { system, breakpoint, worker: sleeper, id } = await openStoppedExport(t, await open(t), breakIn)
        sleeper.kill('SIGSTOP')
        await breakpoint.release()
        const second = await system.startWorker()
        await assertExported(t, system, id, patients)
        sleeper.kill('SIGCONT')

        const again = await startExport(system)
        await assertExported(t, system, again, patients)
        t.equal((await findExport(system.db, id))?.status, 'completed')
        second.kill('SIGTERM')
        await second.ended
        const last = await startExport(system)
        await assertExported(t, system, last, patients)
        t.equal(sleeper.lines.filter((line) => line.includes('"level":60')).length, 0, 'the one that slept works as before')
        await system.startWorker()
        await assertNothingLeft(t, system)
      })
    }
  })
}
