import { sample } from '@fhir-bulk-export/stack/sample'
import t from 'tap'
import { assertExported, assertNothingLeft } from './fixtures/exports.ts'
import { allParts } from './fixtures/parts.ts'
import { patients, stages } from './fixtures/stages.ts'
import { openStoppedExport } from './fixtures/stopped-export.ts'

/** kill -9 in every place: what the worker had sent last is lost with it, or carried out after its death. */

const cases = Object.entries(stages).flatMap(([stage, breakIn]) => (['lose', 'release'] as const).map((last) => ({ stage, breakIn, last })))

for (const { name, open, skip } of allParts) {
  t.test(name, { skip, jobs: 2 }, async (t) => {
    for (const { stage, breakIn, last } of sample(`killed ${name}`, 1, cases)) {
      t.test(`killed while ${stage}; its last words are ${last === 'lose' ? 'lost' : 'carried out'}`, { buffered: true }, async (t) => {
        const { system, breakpoint, worker, id } = await openStoppedExport(t, await open(t), breakIn)
        worker.kill('SIGKILL')
        await worker.ended
        await breakpoint[last]()
        const second = await system.startWorker()
        const { attempt, failures } = await assertExported(t, system, id, patients)
        t.equal(failures, attempt - 1, 'an attempt that died counts as a failure, one that did its work before does not')
        // What was pinned and not written down is found by the cleanup, with which a worker begins.
        second.kill('SIGTERM')
        t.equal(await second.ended, 0)
        await system.startWorker()
        await assertNothingLeft(t, system)
      })
    }
  })
}
