import type { TakenPart } from '@fhir-bulk-export/core/exports'
import type { Source } from '@fhir-bulk-export/core/source'
import type { SnapshotFilter } from '../source/filter.ts'
import type { Part } from './plan.ts'
import type { ReadTask } from './read-part.ts'
import type { SnapshotRef } from '../source/snapshot.ts'

/** What is the same for all parts of an attempt; as JSON it travels to other workers. */
export interface SharedTask { snapshot: SnapshotRef, filter: SnapshotFilter, source: Source }
export interface SharedPart { items: Part }

/** Of what `shareAttempt` was given, which a worker of the same code wrote. */
export function toReadTask ({ id, attempt, reading, task, part }: TakenPart): ReadTask {
  const { snapshot, filter, source } = task as SharedTask
  const { items } = part as SharedPart
  return { exportId: id, attempt, reading, snapshot, source, part: items, filter: { ...filter, asOf: new Date(filter.asOf) } }
}
