/**
 * The exports that a worker runs at once. One of its slots (if it has more than one) is for small exports alone, those of a
 * single patient: no patient waits for large exports to see the own data.
 */
export interface Slots {
  /** Takes a slot and gives what gives it back; undefined when there is none for such an export now. */
  take: (isSmall: boolean) => (() => void) | undefined
}

export function createSlots (concurrency: number): Slots {
  let free = Math.max(1, concurrency - 1)

  function take (isSmall: boolean): (() => void) | undefined {
    if (isSmall) return () => {}
    if (free === 0) return undefined
    free--
    return () => { free++ }
  }

  return { take }
}
