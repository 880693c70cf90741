import { fc } from '@fhir-bulk-export/core/testing'
import { times } from '@fhir-bulk-export/stack/sample'
import t from 'tap'
import { openAuditedDatabase } from './fixtures/state-machine/audit.ts'
import { walks } from './fixtures/state-machine/commands.ts'
import { createModel } from './fixtures/state-machine/model.ts'
import { createJournal, observe, withTranscript } from './fixtures/state-machine/observe.ts'
import { playTogether } from './fixtures/state-machine/play.ts'
import { comeToRest } from './fixtures/state-machine/rest.ts'
import { batches } from './fixtures/state-machine/steps.ts'
import { createWorld } from './fixtures/state-machine/world.ts'

/** The search for a small counterexample has to end before the runner ends this file, and nobody hears of any. */
const interruptAfterTimeLimit = 100_000

t.test('one after the other, every step answers and leaves behind what the model of the state machine says', async (t) => {
  const db = await openAuditedDatabase(t)
  await fc.assert(fc.asyncProperty(walks(80), async function isAsTheModelSays (walk) {
    const real = { world: await createWorld(db), journal: createJournal() }
    await withTranscript(real.journal, async () => {
      await fc.asyncModelRun(() => ({ model: createModel(), real }), walk)
      await comeToRest(real.world, real.journal)
    })
  }), { numRuns: times({ all: 150, some: 15 }), unbiased: true, interruptAfterTimeLimit })
})

t.test('all at once, in whatever order they arrive, the steps break no rule', async (t) => {
  const db = await openAuditedDatabase(t)
  await fc.assert(fc.asyncProperty(batches(15, 12), async function keepsTheRules (batches) {
    const [world, journal] = [await createWorld(db), createJournal()]
    await withTranscript(journal, async () => {
      for (const phrases of batches) await observe(world, journal, await playTogether(world, phrases))
      await comeToRest(world, journal)
    })
  // it may well not fail again, so there is nothing to shrink by
  }), { numRuns: times({ all: 150, some: 15 }), unbiased: true, interruptAfterTimeLimit, endOnFailure: true })
})
