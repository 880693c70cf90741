import { eventually, givenPatients } from '@fhir-bulk-export/core/testing/database'
import { sample } from '@fhir-bulk-export/stack/sample'
import { sql } from 'kysely'
import t from 'tap'
import { openSystem } from '../src/system.ts'
import { assertAccounted } from './fixtures/accounted.ts'
import { assertExported, assertNothingLeft, startExport } from './fixtures/exports.ts'
import { allParts } from './fixtures/parts.ts'
import { cleanupStages } from './fixtures/stages.ts'

/** The cleanup (a worker begins with one) broken off in every place: the next one does the rest. */

const patients = 50

const ends = {
  'killed, its last statement lost': { signal: 'SIGKILL', last: 'lose', code: null },
  'killed, its last statement carried out': { signal: 'SIGKILL', last: 'release', code: null },
  'told to stop': { signal: 'SIGTERM', last: 'release', code: 0 },
} as const

const cases = Object.entries(cleanupStages).flatMap(([stage, breakIn]) => Object.entries(ends).map(
  ([how, end]) => ({ stage, breakIn, how, ...end })
))

t.jobs = 2

for (const { name, open, skip } of allParts) {
  t.test(name, { skip, buffered: true }, async (t) => {
    const parts = await open(t)
    const system = await openSystem(t, parts)
    await givenPatients(system.db, patients)
    let worker = await system.startWorker()
    for (const { stage, breakIn, how, signal, last, code } of sample(`cleanup ${name}`, 1, cases)) {
      await t.test(`${how} while ${stage}`, async (t) => {
        const expired = await startExport(system)
        const kept = await startExport(system)
        await assertExported(t, system, expired, patients)
        await assertExported(t, system, kept, patients)
        await worker.end('SIGTERM')
        await sql`UPDATE bulk_export_jobs SET expires_at = now() WHERE id = ${expired}`.execute(system.db)

        const breakpoint = await breakIn(t, parts, system)
        const second = await system.startWorker()
        await breakpoint.reached()
        second.kill(signal)
        if (signal === 'SIGKILL') await second.ended
        await breakpoint[last]()
        t.equal(await second.ended, code)

        worker = await system.startWorker()
        await assertNothingLeft(t, system)
        await eventually(async () => (await sql`SELECT 1 FROM bulk_export_jobs WHERE id = ${expired}`.execute(system.db)).rows.length === 0)
        await assertExported(t, system, kept, patients)
        await assertAccounted(t, system)
      })
    }
  })
}
