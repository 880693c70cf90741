/**
 * Columns often hold the same text again and again: a language, a department, a document's type. What such a text was read
 * as is kept and shared by all resources of an attempt, so nobody may change it afterwards. A column whose texts rarely
 * come twice is given up after a while.
 */
export interface Memo {
  /** The value of a text read before; undefined if there is none. */
  find: (text: string) => unknown
  keep: (text: string, value: unknown) => void
}

const longestText = 1_024
const mostTexts = 1_000
const trialLookups = 2_000

export function createMemo (): Memo {
  const values = new Map<string, unknown>()
  let lookups = 0
  let hits = 0
  let isWorthIt = true

  return {
    find (text) {
      if (!isWorthIt || text.length > longestText) return undefined
      const value = values.get(text)
      if (value !== undefined) hits++
      if (++lookups === trialLookups && hits < trialLookups / 2) {
        isWorthIt = false
        values.clear()
      }
      return value
    },
    keep (text, value) {
      if (isWorthIt && text.length <= longestText && values.size < mostTexts) values.set(text, value)
    },
  }
}
