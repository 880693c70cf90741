const keptProblems = 40

/** Everything that a run counts. Failures are kept in words, up to a limit: memory must not grow with them. */
export type Figures = ReturnType<typeof createFigures>

export function createFigures () {
  const problems: string[] = []
  return {
    /** Answered with 202. */
    started: 0,
    completed: 0,
    /** By a client, before it ended. */
    cancelled: 0,
    failedByDesign: 0,
    failedOtherwise: 0,
    /** It had ended and was gone before its client had read all of it. */
    expiredUnread: 0,
    /** By a client, after it had completed. */
    dropped: 0,
    files: 0,
    bytes: 0,
    /** Downloads that a client broke off and went on with. */
    resumed: 0,
    /** Requests that were answered with 429 or 503, or not at all. */
    repeated: 0,
    mirrorSteps: 0,
    lost: 0,
    doubleLines: 0,
    torn: 0,
    unexpectedAnswers: 0,
    faults: new Map<string, number>(),
    processFaults: 0,
    problems,
  }
}

export function note (figures: Figures, problem: string): void {
  if (figures.problems.length < keptProblems) figures.problems.push(`${new Date().toISOString()} ${problem}`)
}
