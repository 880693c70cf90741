const maxRemembered = 1_000

/** `make`, without making again what it made of the same text: a column tends to hold few different ones. */
export function remember (make: (text: string) => string): (text: string) => string {
  const made = new Map<string, string>()
  return function makeOnce (text) {
    let result = made.get(text)
    if (result === undefined) {
      result = make(text)
      if (made.size === maxRemembered) made.clear()
      if (text.length < 10_000) made.set(text, result)
    }
    return result
  }
}
