import { exportedRelations } from '@fhir-bulk-export/core/source'
import type { ExportedType } from '@fhir-bulk-export/core/source'
import type { SnapshotFilter } from './filter.ts'
import type { BlockRange } from './sources.ts'

/** Rows of a type, or what was deleted of all of them. */
export type PartSource = { list: 'output', type: ExportedType, range: BlockRange | null } | { list: 'deleted' }
/** What one reader reads, one after the other, over one connection. */
export type Part = PartSource[]

/** Blocks (8 KiB) that are worth a reader of their own: 32 MiB, so that no range makes a tiny file. */
const leastBlocks = 4_096

/**
 * Divides an export among readers. A small one (a patient's own data) is one part. Otherwise every type is a part of its own,
 * and a large table several, by ranges of its blocks: each row stands in one block of one snapshot, so the ranges neither
 * overlap nor leave anything out, and reading them costs no sort and no index. The last range is open, since the table grows.
 */
export function toParts ({ types, patientId, since, associated }: SnapshotFilter, blocks: ReadonlyMap<string, number>, readers: number): Part[] {
  const deleted: Part = since === null || types.length === 0 ? [] : [{ list: 'deleted' }]
  if (patientId !== null) return [[...types.map((type) => toSource(type, null)), ...deleted]]
  const parts = types.flatMap((type) => {
    const size = blocks.get(exportedRelations[type]) ?? 0
    // What is associated is found by one query over all types: not once a range.
    const most = type === 'Provenance' && associated !== null ? 1 : readers
    return toRanges(size, Math.min(most, Math.floor(size / leastBlocks))).map((range) => [toSource(type, range)])
  })
  return deleted.length === 0 ? parts : [...parts, deleted]
}

function toSource (type: ExportedType, range: BlockRange | null): PartSource {
  return { list: 'output', type, range }
}

function toRanges (blocks: number, count: number): Array<BlockRange | null> {
  if (count <= 1) return [null]
  return Array.from({ length: count }, (_, i) => ({
    from: Math.floor(blocks * i / count),
    to: i === count - 1 ? null : Math.floor(blocks * (i + 1) / count),
  }))
}
