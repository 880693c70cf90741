import type { Source } from '@fhir-bulk-export/core/source'
import type { SnapshotFilter } from '../source/filter.ts'
import type { BlockRange } from '../source/queries.ts'

/** Rows of a type, or what was deleted of all of them. */
export type PartItem = { list: 'output', type: string, range: BlockRange | null } | { list: 'deleted' }
/** What one reader reads, one after the other, over one connection. */
export type Part = PartItem[]

/** Blocks (8 KiB) that are worth a reader of their own: 32 MiB, so that no range makes a tiny file. */
const leastBlocks = 4_096
/** Ranges of an export that many workers read: larger tables have larger ranges. Each reading takes a number, and numbers have an end. */
const mostRanges = 1_000
/** Parts per reader of relations whose size is not known. */
const partsOfUnknown = 4

/** `sizes`: of tables, by relation. */
export interface Sharing { sizes: ReadonlyMap<string, { bytes: number, rows: number }>, partBytes: number }

/** Of a row that is in no table, for want of anything better. */
const rowBytes = 1_024
/** Parts of this size from which on other workers are asked to help. */
const manyParts = 8

/**
 * Whether an export is worth more than one worker: not one patient's, and what PostgreSQL expects to read is many parts. `rows`: how many
 * it expects of each type.
 */
export function isWorthSharing (
  { patientId }: SnapshotFilter, { relations }: Source, rows: ReadonlyMap<string, number>, { sizes, partBytes }: Sharing
): boolean {
  if (patientId !== null) return false
  let bytes = 0
  for (const { type, relation } of relations) {
    const expected = rows.get(type)
    if (expected === undefined) continue
    const table = sizes.get(relation)
    bytes += table === undefined ? expected * rowBytes : table.bytes * (table.rows > expected ? expected / table.rows : 1)
  }
  return bytes >= manyParts * partBytes
}

/**
 * Divides an export among readers. A small one (a patient's own data) is one part. Otherwise a large table is several, by ranges of its
 * blocks: each row stands in one block of one snapshot, so the ranges neither overlap nor leave anything out, and reading them costs no
 * sort and no index. The last range is open, since the table grows. Small tables share parts, and so do what has no blocks (views) where
 * there are many: 146 types are not 146 sessions. `sharing`: parts of this size, for any number of workers; without it one for each
 * reader.
 */
export function toParts (
  { types, patientId, since, associated }: SnapshotFilter, { relations }: Source, blocks: ReadonlyMap<string, number>,
  readers: number, sharing?: Sharing
): Part[] {
  const deleted: Part = since === null || types.length === 0 ? [] : [{ list: 'deleted' }]
  const chosen = relations.filter(({ type }) => types.includes(type))
  if (patientId !== null) return [[...chosen.map(({ type }) => toItem(type, null)), ...deleted]]
  const parts: Part[] = []
  const small = { part: [] as Part, blocks: leastBlocks }
  const unknown = chosen.filter(({ relation }) => !blocks.has(relation))
  const shared: Part[] = []
  const bytesOf = (relation: string) => sharing?.sizes.get(relation)?.bytes ?? 0
  const rangeBytes = Math.max(sharing?.partBytes ?? 0, chosen.reduce((sum, { relation }) => sum + bytesOf(relation), 0) / mostRanges)
  for (const { type, relation } of chosen) {
    const size = blocks.get(relation)
    // Associated Provenance is found by one query over all types: not once a range.
    const isWhole = type === 'Provenance' && associated !== null
    if (isWhole) {
      parts.push([toItem(type, null)])
    } else if (size === undefined) {
      const i = unknown.findIndex((other) => other.type === type) % (partsOfUnknown * readers)
      if (shared[i] === undefined) parts.push(shared[i] = [])
      shared[i].push(toItem(type, null))
    } else if (toRangeCount(relation, size) > 0) {
      parts.push(...toRanges(size, toRangeCount(relation, size)).map((range) => [toItem(type, range)]))
    } else {
      if (small.blocks + size > leastBlocks) {
        small.part = []
        small.blocks = 0
        parts.push(small.part)
      }
      small.part.push(toItem(type, null))
      small.blocks += size
    }
  }
  return deleted.length === 0 ? parts : [...parts, deleted]

  /** 0: the table is too small to be read by itself. */
  function toRangeCount (relation: string, size: number): number {
    if (sharing === undefined) return Math.min(readers, Math.floor(size / leastBlocks))
    return Math.min(size, Math.floor(bytesOf(relation) / rangeBytes))
  }
}

function toItem (type: string, range: BlockRange | null): PartItem {
  return { list: 'output', type, range }
}

function toRanges (blocks: number, count: number): Array<BlockRange | null> {
  if (count <= 1) return [null]
  return Array.from({ length: count }, (_, i) => ({
    from: Math.floor(blocks * i / count),
    to: i === count - 1 ? null : Math.floor(blocks * (i + 1) / count),
  }))
}
