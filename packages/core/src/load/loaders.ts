import type { Kysely } from 'kysely'
import type { Reader, Scope } from '../fhir/reading.ts'
import type { Relation } from '../source/relations.ts'
import { createBatch, type Pending, type Place } from './batch.ts'
import { readConsentRow } from './consent-row.ts'
import { readDocumentReferenceRow } from './document-reference-row.ts'
import { readGroupRows } from './group-rows.ts'
import { readPatientRow } from './patient-row.ts'
import { findPatients } from './provenance-patients.ts'
import { readProvenanceRow, type ProvenanceRow } from './provenance-row.ts'
import type { LoadedRow } from './rows.ts'
import { upsertGroup } from './upsert-group.ts'
import { upsert } from './upsert.ts'

export type LoadedType = 'Patient' | 'DocumentReference' | 'Consent' | 'Group' | 'Provenance'

/** Takes the resources of one type. */
export interface Loader {
  /** Throws ElementError for a resource that is not valid; whatever a row does not hold is in the scope's notes then. */
  take (resource: unknown, scope: Scope, place: Place, bytes: number): Promise<void>
  flush (): Promise<void>
}

export interface LoaderEvents {
  wrote (type: LoadedType, written: number, lines: number): void
  refused (type: LoadedType, place: Place, problem: string): void
}

const limits = { maxRows: 1_000, maxBytes: 8 * 1024 * 1024 }

export function createLoaders<DB> (db: Kysely<DB>, events: LoaderEvents): Record<LoadedType, Loader> {
  interface Kind<T> {
    read: Reader<T>
    idOf (item: T): string | null
    write (items: T[]): Promise<number>
    admit? (rows: Array<Pending<T>>): Promise<Array<Pending<T>>>
    maxRows?: number
  }

  function createLoader<T> (type: LoadedType, { read, idOf, ...batched }: Kind<T>): Loader {
    const batch = createBatch<T>({
      ...limits,
      ...batched,
      onWritten: (written, lines) => events.wrote(type, written, lines),
      onRefused: (place, problem) => events.refused(type, place, `${type} ${problem}`),
    })
    return {
      async take (resource, scope, place, bytes) {
        const item = read(resource, scope)
        if (item !== undefined) await batch.add({ id: idOf(item) ?? '', item, place, bytes })
      },
      flush: batch.flush,
    }
  }

  function createRowLoader<R extends Relation> (type: LoadedType, relation: R, read: Reader<LoadedRow<R>>): Loader {
    return createLoader(type, { read, idOf: row => row.id, write: rows => upsert(db, relation, rows) })
  }

  /** A Provenance belongs to the patient of its targets, which are in the source by now or never. */
  async function admitOwned (rows: Array<Pending<ProvenanceRow>>): Promise<Array<Pending<ProvenanceRow>>> {
    await findPatients(db, rows.map(({ item }) => item))
    return rows.filter(function isOwned ({ item, place }) {
      if (item.row.patient_id !== null) return true
      events.refused('Provenance', place, 'Provenance.target: none of its targets belongs to a patient in the source')
      return false
    })
  }

  return {
    Patient: createRowLoader('Patient', 'patients', readPatientRow),
    DocumentReference: createRowLoader('DocumentReference', 'medical_records', readDocumentReferenceRow),
    Consent: createRowLoader('Consent', 'consents', readConsentRow),
    Provenance: createLoader('Provenance', {
      read: readProvenanceRow,
      idOf: ({ row }) => row.id,
      admit: admitOwned,
      write: items => upsert(db, 'provenance_events', items.map(({ row }) => row)),
    }),
    Group: createLoader('Group', {
      read: readGroupRows,
      idOf: ({ group }) => group.id,
      maxRows: 1, // each with its members in a transaction of its own
      async write (groups) {
        let changed = 0
        for (const group of groups) if (await upsertGroup(db, group) > 0) changed++
        return changed
      },
    }),
  }
}
