const keptProblems = 40

/** Everything that a run counts. Failures are kept in words, up to a limit: memory must not grow with them. */
export interface Figures {
  /** Answered with 202. */
  started: number
  completed: number
  /** By a client, before it ended. */
  cancelled: number
  failedByDesign: number
  failedOtherwise: number
  /** It had ended and was gone before its client had read all of it. */
  expiredUnread: number
  /** By a client, after it had completed. */
  dropped: number
  files: number
  bytes: number
  /** Downloads that a client broke off and went on with. */
  resumed: number
  /** Requests that were answered with 429 or 503, or not at all. */
  repeated: number
  mirrorSteps: number
  lost: number
  doubleLines: number
  torn: number
  unexpectedAnswers: number
  faults: Map<string, number>
  processFaults: number
  problems: string[]
}

export function createFigures (): Figures {
  return {
    started: 0,
    completed: 0,
    cancelled: 0,
    failedByDesign: 0,
    failedOtherwise: 0,
    expiredUnread: 0,
    dropped: 0,
    files: 0,
    bytes: 0,
    resumed: 0,
    repeated: 0,
    mirrorSteps: 0,
    lost: 0,
    doubleLines: 0,
    torn: 0,
    unexpectedAnswers: 0,
    faults: new Map(),
    processFaults: 0,
    problems: [],
  }
}

export function note (figures: Figures, problem: string): void {
  if (figures.problems.length < keptProblems) figures.problems.push(`${new Date().toISOString()} ${problem}`)
}
