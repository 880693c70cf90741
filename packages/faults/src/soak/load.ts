import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '@fhir-bulk-export/stack/random'
import type { Wish } from './client.ts'
import { patients, types } from './data.ts'
import { countFailure, follow, lose, read, startExport, type Run } from './run.ts'
import { persistently } from './watch.ts'

const profiles = ['status-in-body', 'respond-async', 'separate-export-status'] as const

/** How often clients do what. */
const activities: Array<[weight: number, activity: (run: Run, sub: string, random: Random) => Promise<void>]> = [
  [6, async (run, sub, random) => { await exportAndRead(run, toEverything(sub, random), random) }],
  [4, async (run, _sub, random) => { await exportAndRead(run, toOwn(`p${random.integer(1, patients)}`, random), random) }],
  [2, async (run, sub, random) => { await exportAndRead(run, toSome(sub, random), random) }],
  [3, exportAndCancel],
  [2, exportAndDrop],
  [2, exportToFail],
]

/** A client that always wants something, until `end` aborts; it follows its last export to the end. */
export async function beClient (run: Run, sub: string, random: Random, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    await pickActivity(random)(run, sub, random)
    await delay(random.integer(0, 1_000), undefined, { signal: end }).catch(() => {})
  }
}

function pickActivity (random: Random) {
  let left = random.next() * activities.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, activity] of activities) if ((left -= weight) < 0) return activity
  return exportAndCancel
}

async function exportAndRead (run: Run, wish: Wish, random: Random): Promise<void> {
  await startExport(run, wish, async (accepted) => {
    const ending = await follow(run, accepted)
    if (ending.kind === 'failed') countFailure(run, accepted, ending.reason)
    if (ending.kind === 'completed') await read(run, accepted, ending.manifest, random)
  })
}

/** DELETE at any time. An export that completed before it is dropped all the same. */
async function exportAndCancel (run: Run, sub: string, random: Random): Promise<void> {
  const { client, watch, figures, signal } = run
  await startExport(run, toEverything(sub, random), async (accepted) => {
    await delay(random.integer(0, 4_000), undefined, { signal })
    await client.cancel(accepted)
    const why = await persistently(async () => await watch.whyGone(accepted.id), signal)
    if (why === undefined) throw new Error('is not cancelled after DELETE')
    if (why === 'cancelled') figures.cancelled++
    else figures.expiredUnread++
    const { kind } = await client.state(accepted)
    if (kind !== 'gone' && kind !== 'cancelled') throw new Error(`is ${kind} after DELETE`)
  })
}

async function exportAndDrop (run: Run, sub: string, random: Random): Promise<void> {
  const { client, figures } = run
  await startExport(run, toEverything(sub, random), async (accepted) => {
    const ending = await follow(run, accepted)
    if (ending.kind === 'failed') countFailure(run, accepted, ending.reason)
    if (ending.kind !== 'completed') return
    await client.cancel(accepted)
    figures.dropped++
    const { kind } = await client.state(accepted)
    if (kind !== 'gone' && kind !== 'cancelled') throw new Error(`is ${kind} after DELETE`)
  })
}

async function exportToFail (run: Run, sub: string, random: Random): Promise<void> {
  const wish = random.chance(0.5)
    ? { ...toEverything(sub, random), level: random.pick(['system', 'patient'] as const) }
    : toOwn('q', random)
  await startExport(run, { ...wish, types, takesUnreadable: true }, async (accepted) => {
    const ending = await follow(run, accepted)
    if (ending.kind === 'failed' && ending.reason.startsWith('More than')) run.figures.failedByDesign++
    else if (ending.kind === 'failed') countFailure(run, accepted, ending.reason)
    else if (ending.kind === 'completed') lose(run, accepted, 'completed without rows that it was asked for')
  })
}

function toEverything (sub: string, random: Random): Wish {
  const some = random.chance(0.6) ? types : types.filter(() => random.chance(0.5))
  const level = random.pick(['system', 'system', 'patient', 'patient', 'group'] as const)
  return { claims: { role: 'ADMIN', sub }, level, types: some.length === 0 ? types : some, profile: random.pick(profiles) }
}

function toSome (sub: string, random: Random): Wish {
  const ids = Array.from({ length: random.integer(1, 5) }, () => `p${random.integer(1, patients)}`)
  return { ...toEverything(sub, random), level: 'patient', patients: [...new Set(ids)] }
}

function toOwn (id: string, random: Random): Wish {
  return { claims: { role: 'PATIENT', sub: id, patient_id: id }, level: 'patient', types, profile: random.pick(profiles) }
}
