import { sample } from '@fhir-bulk-export/stack/sample'
import t from 'tap'
import { assertAccounted } from './fixtures/accounted.ts'
import { assertExported, assertNothingLeft } from './fixtures/exports.ts'
import { allParts } from './fixtures/parts.ts'
import { patients, stages } from './fixtures/stages.ts'
import { openStoppableSystem } from './fixtures/stopped-export.ts'

/** kill -9 in every place: what the worker had sent last is lost with it, or carried out after its death. The next worker dies next. */

for (const { name, open, skip } of allParts) {
  t.test(name, { skip, jobs: 2 }, async (t) => {
    for (const last of sample(`killed ${name}`, 1, ['lose', 'release'] as const)) {
      t.test(`its last words are ${last === 'lose' ? 'lost' : 'carried out'}`, { buffered: true }, async (t) => {
        const { system, killAt } = await openStoppableSystem(t, await open(t))
        let worker = await system.startWorker()
        for (const [stage, breakIn] of sample(`killed ${name} ${last}`, 2, Object.entries(stages))) {
          await t.test(`killed while ${stage}`, async (t) => {
            const { id, next } = await killAt(t, breakIn, worker, last)
            worker = next
            const { attempt, failures } = await assertExported(t, system, id, patients)
            t.equal(failures, attempt - 1, 'an attempt that died counts as a failure, one that did its work before does not')
            await assertAccounted(t, system)
          })
        }
        // What was pinned and not written down is found by the cleanup, with which a worker begins.
        t.equal(await worker.end('SIGTERM'), 0)
        await system.startWorker()
        await assertNothingLeft(t, system)
      })
    }
  })
}
