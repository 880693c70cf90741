import { findExport } from '@fhir-bulk-export/core/exports'
import { sample } from '@fhir-bulk-export/stack/sample'
import t from 'tap'
import { assertExported, assertNothingLeft, startExport } from './fixtures/exports.ts'
import { allParts } from './fixtures/parts.ts'
import { patients, stages } from './fixtures/stages.ts'
import { openStoppableSystem } from './fixtures/stopped-export.ts'

/** SIGSTOP, and SIGCONT when the export is another worker's: a laptop that was closed, a virtual machine that was moved. */

t.jobs = 2

for (const { name, open, skip } of allParts) {
  t.test(name, { skip, buffered: true }, async (t) => {
    const { system, stopExportAt } = await openStoppableSystem(t, await open(t))
    const sleeper = await system.startWorker()
    for (const [stage, breakIn] of sample(`paused ${name}`, 1, Object.entries(stages))) {
      await t.test(`paused while ${stage}, until somebody else has done the work`, async (t) => {
        const { breakpoint, id } = await stopExportAt(t, breakIn)
        sleeper.kill('SIGSTOP')
        await breakpoint.release()
        const second = await system.startWorker()
        await assertExported(t, system, id, patients)
        sleeper.kill('SIGCONT')

        const again = await startExport(system)
        await assertExported(t, system, again, patients)
        t.equal((await findExport(system.db, id))?.status, 'completed')
        await second.end('SIGTERM')
        const last = await startExport(system)
        await assertExported(t, system, last, patients)
        t.equal(sleeper.lines.filter((line) => line.includes('"level":60')).length, 0, 'the one that slept works as before')
      })
    }
    await system.startWorker() // its cleanup finds what was pinned and not written down
    await assertNothingLeft(t, system)
  })
}
