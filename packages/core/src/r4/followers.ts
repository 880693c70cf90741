import { isBlank, type Cursor } from './cursor.ts'
import { Literal } from './literal.ts'

/** Elements, and spellings of what is before them; and bytes of one. */
const [maxSteps, maxBytes] = [16, 128]

interface Step<Element> { readonly bytes: Literal, readonly element: Element }

/**
 * What was found between the end of a value, or the brace that opens its object, and the value of the element that follows: comma, name,
 * colon and blanks. Objects of a type tend to have the same elements in the same order.
 */
export class Followers<Element> {
  readonly #steps: Array<Step<Element>> = []

  /** Passes over bytes that are known, and gives back the element whose value follows them. */
  take (cursor: Cursor): Element | undefined {
    const steps = this.#steps
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!
      if (!step.bytes.standsAt(cursor)) continue
      const at = cursor.at + step.bytes.length
      if (isBlank(cursor.source[at]!)) continue // of this spelling and of one with more blanks
      cursor.at = at
      if (i > 0) {
        steps[i] = steps[0]!
        steps[0] = step
      }
      return step.element
    }
    return undefined
  }

  add (bytes: Buffer, element: Element): void {
    if (this.#steps.length < maxSteps && bytes.length <= maxBytes) this.#steps.push({ bytes: new Literal(bytes), element })
  }
}
