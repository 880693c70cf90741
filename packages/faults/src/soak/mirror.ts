import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@fhir-bulk-export/core/db'
import type { Random } from '@fhir-bulk-export/stack/random'
import { sql, type Kysely } from 'kysely'
import type { Wish } from './client.ts'
import { types } from './data.ts'
import { countFailure, follow, read, startExport, type Run } from './run.ts'

const stepPauseMs = 3_000
const shownDifferences = 5

/** A client that holds what the source holds, by a chain of exports. */
export interface Mirror {
  name: string
  /** Goes on until the signal aborts. */
  run: (end: AbortSignal) => Promise<void>
  /** One more export that arrives: to what the source holds now. */
  complete: () => Promise<void>
  /** Where it holds something else. */
  differences: (db: Kysely<Database>) => Promise<string[]>
}

export function createMirror (run: Run, name: string, wish: Wish, random: Random): Mirror {
  /** `Type/id` → when it was last changed. */
  const held = new Map<string, string>()
  let since: string | undefined

  /** Returns whether the export arrived: one that failed or expired is asked for again, from the same instant on. */
  async function step (): Promise<boolean> {
    let isApplied = false
    await startExport(run, { ...wish, since }, async (accepted) => {
      const ending = await follow(run, accepted)
      if (ending.kind === 'failed') countFailure(run, accepted, ending.reason)
      if (ending.kind !== 'completed') return
      const contents = await read(run, accepted, ending.manifest, random)
      if (contents === undefined) return
      for (const resource of contents.deleted) held.delete(resource)
      for (const [resource, lastUpdated] of contents.output) held.set(resource, toMicroseconds(lastUpdated))
      since = ending.manifest.transactionTime
      run.figures.mirrorSteps++
      isApplied = true
    })
    return isApplied
  }

  async function runUntil (end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      await step()
      await delay(random.integer(0, stepPauseMs), undefined, { signal: end }).catch(() => {})
    }
  }

  async function complete (): Promise<void> {
    while (!run.signal.aborted && !await step()) await delay(1_000)
  }

  async function differences (db: Kysely<Database>): Promise<string[]> {
    const wanted = await readHoldings(db, wish.claims.patient_id)
    const missing = [...wanted].filter(([resource]) => !held.has(resource)).map(([resource]) => `${resource} is missing`)
    const old = [...wanted].filter(([resource, at]) => held.has(resource) && held.get(resource) !== at).map(
      ([resource, at]) => `${resource} is of ${held.get(resource)}, not of ${at}`
    )
    const surplus = [...held.keys()].filter((resource) => !wanted.has(resource)).map((resource) => `${resource} is there no more`)
    const all = [...missing, ...old, ...surplus]
    return all.length > shownDifferences ? [...all.slice(0, shownDifferences), `${all.length} in all`] : all
  }

  return { name, run: runUntil, complete, differences }
}

/** What can be exported of the source: the live rows of live patients. */
async function readHoldings (db: Kysely<Database>, patientId: string | undefined): Promise<Map<string, string>> {
  const { rows } = await sql<{ name: string, at: string }>`
    SELECT name, to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at FROM (
      SELECT 'Patient/' || id AS name, id, id AS patient_id, updated_at, deleted_at FROM source.patients
      UNION ALL SELECT 'DocumentReference/' || id, id, patient_id, updated_at, deleted_at FROM source.medical_records
      UNION ALL SELECT 'Consent/' || id, id, patient_id, updated_at, deleted_at FROM source.consents WHERE status <> 'quarantined'
      UNION ALL SELECT 'Provenance/' || id, id, patient_id, updated_at, deleted_at FROM source.provenance_events
      UNION ALL SELECT 'Observation/' || id, id, patient_id, updated_at, deleted_at FROM source.observation
    ) r
    WHERE deleted_at IS NULL AND id NOT LIKE 'bad-%' AND (${patientId ?? null}::text IS NULL OR patient_id = ${patientId ?? null})
      AND NOT EXISTS (SELECT FROM source.patients p WHERE p.id = r.patient_id AND p.deleted_at IS NOT NULL)`.execute(db)
  return new Map(rows.map(({ name, at }) => [name, at]))
}

/** `2026-01-02T03:04:05.6Z` as PostgreSQL's to_char spells it. */
function toMicroseconds (instant: string): string {
  const [seconds = '', fraction = ''] = instant.replace(/Z$/, '').split('.')
  return `${seconds}.${fraction.padEnd(6, '0')}`
}

export const mirrorWishes: Record<string, Omit<Wish, 'since'>> = {
  'everything, at system level': { claims: { role: 'ADMIN', sub: 'mirror-1' }, level: 'system', types, profile: 'respond-async' },
  'everything, at patient level': { claims: { role: 'ADMIN', sub: 'mirror-2' }, level: 'patient', types, profile: 'status-in-body' },
  'one patient': { claims: { role: 'PATIENT', sub: 'mp1', patient_id: 'mp1' }, level: 'patient', types, profile: 'separate-export-status' },
}
