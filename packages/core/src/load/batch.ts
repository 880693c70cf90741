import pg from 'pg'

/** A row to be written and the line it came from. */
export interface Pending<T> { readonly id: string, readonly item: T, readonly place: Place, readonly bytes: number }
export interface Place { readonly file: string, readonly line: number }

export interface BatchOptions<T> {
  /** Those of the rows that may be written; tells of the others itself. */
  admit? (rows: Array<Pending<T>>): Promise<Array<Pending<T>>>
  /** Writes all items or none, and gives back how many it had to; no id comes twice. */
  write (items: T[]): Promise<number>
  onWritten (written: number, lines: number): void
  onRefused (place: Place, problem: string): void
  maxRows: number
  maxBytes: number
}

export interface Batch<T> {
  /** Writes what is pending, if it is enough now. */
  add (pending: Pending<T>): Promise<void>
  flush (): Promise<void>
}

/** Gathers rows up to a number and a size. Of rows with one id the last wins, as if they had come one by one. */
export function createBatch<T> ({ admit, write, onWritten, onRefused, maxRows, maxBytes }: BatchOptions<T>): Batch<T> {
  let pending: Array<Pending<T>> = []
  let bytes = 0

  async function flush (): Promise<void> {
    const taken = pending
    pending = []
    bytes = 0
    const admitted = admit === undefined || taken.length === 0 ? taken : await admit(taken)
    const last = [...new Map(admitted.map(row => [row.id, row])).values()]
    if (last.length > 0) await writeOrSplit(last)
    const outdone = admitted.length - last.length
    if (outdone > 0) onWritten(outdone, outdone)
  }

  /** One row that PostgreSQL refuses takes no other with it: halves find it in log n statements. */
  async function writeOrSplit (rows: Array<Pending<T>>): Promise<void> {
    try {
      onWritten(await write(rows.map(row => row.item)), rows.length)
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal === undefined) throw error
      const [first] = rows
      if (first !== undefined && rows.length === 1) return onRefused(first.place, refusal)
      const half = Math.ceil(rows.length / 2)
      await writeOrSplit(rows.slice(0, half))
      await writeOrSplit(rows.slice(half))
    }
  }

  return {
    async add (row) {
      pending.push(row)
      bytes += row.bytes
      if (pending.length >= maxRows || bytes >= maxBytes) await flush()
    },
    flush,
  }
}

/** Why a statement failed if it is because of a row's content; PostgreSQL's message might quote that, so it is not passed on. */
function refusalOf (error: unknown): string | undefined {
  if (error instanceof RangeError) return 'is too long to be sent to PostgreSQL'
  // data exceptions, constraints, limits: https://www.postgresql.org/docs/current/errcodes-appendix.html
  if (!(error instanceof pg.DatabaseError) || !/^(?:22|23|54)/.test(error.code ?? '')) return undefined
  return `cannot be stored: PostgreSQL answers ${error.code}${error.constraint === undefined ? '' : ` (${error.constraint})`}`
}
