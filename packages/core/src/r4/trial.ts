/** Values after which what was remembered is judged, and how many are let pass if it was of too little use: twice as many each time. */
const tried = 1_000
const [firstRest, longestRest] = [30_000, 2_000_000]

/** Whether remembering pays: of each thousand tries half have to succeed. */
export class Trial {
  #tries = 0
  #successes = 0
  #rest = 0
  #nextRest = firstRest

  get isResting (): boolean {
    return this.#rest > 0
  }

  /** False: not now. What was remembered is forgotten when a rest begins. */
  begin (remembered: { forget: () => void }): boolean {
    if (this.#rest > 0) {
      this.#rest--
      return false
    }
    if (++this.#tries === tried) {
      if (this.#successes < tried / 2) {
        this.#rest = this.#nextRest
        this.#nextRest = Math.min(2 * this.#nextRest, longestRest)
        remembered.forget()
      }
      this.#tries = 0
      this.#successes = 0
    }
    return this.#rest === 0
  }

  succeed (): void {
    this.#successes++
  }
}
