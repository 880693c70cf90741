export interface LoadProblem {
  readonly file: string
  /** counted from 1 */
  readonly line: number
  /** Why it was not loaded, with the path of what is wrong; never with its content. */
  readonly problem: string
}

export interface TypeCounts {
  /** resources whose rows were written */
  loaded: number
  /** resources whose rows were in the source already, just so */
  unchanged: number
  rejected: number
}

export interface LoadReport {
  /** by resource type; resources without one stand under `unknown` */
  readonly types: ReadonlyMap<string, Readonly<TypeCounts>>
  /** in all */
  readonly rejected: number
}

/** Counts for a LoadReport while files are read. */
export function createReport () {
  const types = new Map<string, TypeCounts>()

  function countsOf (type: string): TypeCounts {
    const counts = types.get(type) ?? { loaded: 0, unchanged: 0, rejected: 0 }
    types.set(type, counts)
    return counts
  }

  return {
    wrote (type: string, written: number, of: number): void {
      const counts = countsOf(type)
      counts.loaded += written
      counts.unchanged += of - written
    },
    rejected (type: string): void {
      countsOf(type).rejected++
    },
    result (): LoadReport {
      const sorted = [...types].sort(([a], [b]) => a < b ? -1 : 1)
      return { types: new Map(sorted), rejected: sorted.reduce((sum, [, counts]) => sum + counts.rejected, 0) }
    },
  }
}
