import type { Note } from '../fhir/reading.ts'
import type { Place } from './batch.ts'

/** Why a line was not loaded; never with its content. */
export interface LoadProblem extends Place { readonly problem: string }

export interface TypeCounts {
  /** lines whose rows were written */
  loaded: number
  /** lines whose rows were in the source already, just so */
  unchanged: number
  /** bad lines */
  rejected: number
}

export interface LoadReport {
  /** by resource type; lines whose type could not be read stand under `unknown` */
  readonly types: ReadonlyMap<string, Readonly<TypeCounts>>
  /** lines of types that the source does not hold */
  readonly skipped: ReadonlyMap<string, number>
  /** elements that rows do not hold: `Patient.extension is not held` → how many times */
  readonly notHeld: ReadonlyMap<string, number>
  /** bad lines in all */
  readonly rejected: number
}

/** Counts for a LoadReport while files are read. */
export function createReport () {
  const types = new Map<string, TypeCounts>()
  const skipped = new Map<string, number>()
  const notHeld = new Map<string, number>()

  function countsOf (type: string): TypeCounts {
    const counts = types.get(type) ?? { loaded: 0, unchanged: 0, rejected: 0 }
    types.set(type, counts)
    return counts
  }

  return {
    wrote (type: string, written: number, lines: number): void {
      const counts = countsOf(type)
      counts.loaded += written
      counts.unchanged += lines - written
    },
    rejected (type: string): void {
      countsOf(type).rejected++
    },
    skipped (type: string): void {
      skipped.set(type, (skipped.get(type) ?? 0) + 1)
    },
    notHeld (type: string, notes: readonly Note[]): void {
      for (const { path, remark } of notes) {
        const key = `${type}.${path.replace(/\[\d+\]/g, '')} ${remark}`
        notHeld.set(key, (notHeld.get(key) ?? 0) + 1)
      }
    },
    result (): LoadReport {
      const rejected = [...types.values()].reduce((sum, counts) => sum + counts.rejected, 0)
      return { types, skipped, notHeld, rejected }
    },
  }
}
