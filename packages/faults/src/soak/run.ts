import { setTimeout as delay } from 'node:timers/promises'
import type { FileList, Manifest } from '@fhir-bulk-export/core/exports'
import type { Random } from '@fhir-bulk-export/stack/random'
import { UnexpectedAnswer, type Accepted, type Client, type State, type Wish } from './client.ts'
import { createContents, type Contents } from './contents.ts'
import { download } from './download.ts'
import { note, type Figures } from './figures.ts'
import type { Ask } from './http.ts'
import { persistently, type Watch } from './watch.ts'

export interface Run {
  client: Client
  ask: Ask
  watch: Watch
  figures: Figures
  /** Clients wait for their exports until it aborts; exports that have not ended then are lost. */
  signal: AbortSignal
}

export type Ending = Exclude<State, { kind: 'running' }> | { kind: 'lost' }

/** Starts an export; `then` follows it to its end, which is counted. An export that is not as promised is noted as lost, once. */
export async function startExport (run: Run, wish: Wish, then: (accepted: Accepted) => Promise<unknown>): Promise<void> {
  const { client, figures, signal } = run
  const accepted = await client.kickOff(wish).catch((error: unknown) => {
    if (error instanceof UnexpectedAnswer) {
      figures.unexpectedAnswers++
      note(figures, error.message)
    } else if (!signal.aborted) {
      throw error
    }
    return undefined
  })
  if (accepted === undefined) return
  figures.started++
  await then(accepted).catch((error: unknown) => {
    lose(run, accepted, signal.aborted ? 'had not ended when the clients gave up' : error instanceof Error ? error.message : String(error))
  })
}

export function lose ({ figures }: Run, { id, wish }: Accepted, why: string): void {
  figures.lost++
  note(figures, `lost: ${id} (${wish.claims.role}, ${wish.level}, ${wish.profile}${wish.since === undefined ? '' : ', _since'}): ${why}`)
}

/** Polls as the server says. A 404 is right where the export has ended and expired, and wrong everywhere else. */
export async function follow (run: Run, accepted: Accepted): Promise<Ending> {
  const { client, watch, figures, signal } = run
  for (;;) {
    const state = await client.state(accepted)
    switch (state.kind) {
      case 'running':
        await delay(state.waitMs, undefined, { signal })
        continue
      case 'completed':
        figures.completed++
        return state
      case 'failed':
        return state
      case 'cancelled':
        lose(run, accepted, 'is cancelled without a DELETE')
        return { kind: 'lost' }
      case 'gone': {
        const why = await persistently(async () => await watch.whyGone(accepted.id), signal)
        if (why === 'expired') {
          figures.expiredUnread++
          return state
        }
        lose(run, accepted, why === undefined ? 'vanished' : 'is cancelled without a DELETE')
        return { kind: 'lost' }
      }
    }
  }
}

export function countFailure ({ figures }: Run, { id }: Accepted, reason: string): void {
  figures.failedOtherwise++
  note(figures, `failed: ${id}: ${reason}`)
}

/** Downloads all files of a completed export and checks them. Undefined: it expired meanwhile. */
export async function read (run: Run, accepted: Accepted, manifest: Manifest, random: Random): Promise<Contents | undefined> {
  const { ask, client, watch, figures, signal } = run
  const contents = createContents()
  for (const list of ['output', 'deleted', 'error'] as const satisfies FileList[]) {
    for (const item of manifest[list]) {
      const bytes = await download(ask, item, client.headers(accepted.wish), random, figures)
      if (bytes !== 'gone') {
        contents.add(list, item.type, bytes)
        continue
      }
      const why = await persistently(async () => await watch.whyGone(accepted.id), signal)
      if (why !== 'expired') throw new Error(`${item.url} is gone${why === undefined ? ' before its time' : ' without a DELETE'}`)
      figures.expiredUnread++
      figures.completed--
      return undefined
    }
  }
  figures.doubleLines += contents.doubleLines
  const torn = contents.torn()
  if (torn > 0) figures.torn++
  const differences = contents.differences(accepted.wish)
  if (contents.doubleLines > 0) differences.push(`${contents.doubleLines} lines are there twice`)
  if (torn > 0) differences.push(`${torn} patients and their documents are of two instants`)
  if (differences.length > 0) throw new Error(differences.join('; '))
  return contents
}
