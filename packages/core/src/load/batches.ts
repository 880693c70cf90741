import type pg from 'pg'
import { findPostgresFailure, isRowRefused } from '../postgres-errors.ts'
import { openRelation, type Relation } from './relation.ts'
import type { Row } from './to-row.ts'
import { writeRows } from './write-rows.ts'

interface Pending { readonly type: string, readonly row: Row, readonly file: string, readonly line: number }

export interface BatchEvents {
  onWritten: (type: string, written: number, of: number) => void
  onRefused: (pending: Pending, problem: string) => void
}

export interface Batches {
  /** Waits where the batch before the last is not written yet. */
  add: (pending: Pending) => Promise<void>
  /** Writes what is left, and waits until all is written. */
  end: () => Promise<void>
}

const maxRows = 5_000
const maxBytes = 8 * 1024 * 1024

/** Gathers rows up to a number and a size, and writes them while the next ones are gathered, in their order. */
export function createBatches (pool: pg.Pool, relations: Relations, events: BatchEvents): Batches {
  let pending: Pending[] = []
  let bytes = 0
  let writing: Promise<void> = Promise.resolve()

  async function flush (): Promise<void> {
    await writing
    const taken = Map.groupBy(pending, ({ type }) => type)
    pending = []
    bytes = 0
    writing = writeAll(taken)
    writing.catch(() => {}) // the next flush throws it
  }

  async function writeAll (taken: Map<string, Pending[]>): Promise<void> {
    for (const [type, rows] of taken) await writeOrSplit(type, await relations.get(type), rows)
  }

  /** One row that PostgreSQL refuses takes no other with it: halves find it in log n transactions. */
  async function writeOrSplit (type: string, relation: Relation, rows: Pending[]): Promise<void> {
    try {
      events.onWritten(type, await writeRows(pool, relation, rows.map(({ row }) => row)), rows.length)
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal === undefined) throw error
      const [first] = rows
      if (first !== undefined && rows.length === 1) return events.onRefused(first, refusal)
      const half = Math.ceil(rows.length / 2)
      await writeOrSplit(type, relation, rows.slice(0, half))
      await writeOrSplit(type, relation, rows.slice(half))
    }
  }

  return {
    async add (given) {
      pending.push(given)
      bytes += given.row.json.length
      if (pending.length >= maxRows || bytes >= maxBytes) await flush()
    },
    async end () {
      await flush()
      await writing
    },
  }
}

export interface Relations { get: (type: string) => Promise<Relation> }

/** Each relation is looked for, and made, once. */
export function createRelations (pool: pg.Pool): Relations {
  const opened = new Map<string, Promise<Relation>>()
  return {
    async get (type) {
      const relation = opened.get(type) ?? openRelation(pool, type)
      opened.set(type, relation)
      return await relation
    },
  }
}

/** Why a row's content was refused; undefined for other errors. PostgreSQL's message might quote the content. */
function refusalOf (error: unknown): string | undefined {
  if (!isRowRefused(error)) return undefined
  const { sqlState, constraint } = findPostgresFailure(error) ?? {}
  return `cannot be stored: PostgreSQL answers ${sqlState}${constraint === undefined ? '' : ` (${constraint})`}`
}
