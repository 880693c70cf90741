import { absent, copied, failed, type Cursor, type Status } from './cursor.ts'
import { Literal } from './literal.ts'
import { Trial } from './trial.ts'

/** Steps that the shapes of a type have in all, and bytes of a literal. */
const [maxSteps, maxLiteralBytes] = [512, 128]
/** Steps of which one may follow. */
const maxBranches = 16

/** Bytes, then the value of an element; or, where the object ends, none. */
interface Step<Element> {
  readonly source: Literal
  /** The same as it is written. */
  readonly target: Literal
  readonly element: Element | undefined
  readonly next: Array<Step<Element>>
}

/** An element's value as it was copied: from where to where in the source, and in the target. */
export interface CopiedValue<Element> { element: Element, at: number, end: number, to: number, toEnd: number }

/** Copies an element's value, or says that it must be looked at more closely. */
export type CopyValue<Element> = (cursor: Cursor, element: Element) => Status

/**
 * How objects of a type tend to be written: which bytes stand between the values of their elements, and what was written for them. The
 * copier decides by these bytes alone which elements there are, in which order, and whether that is what the type asks for; so an object
 * with the same bytes between good values of the same elements is copied without a look at names, cardinality and choices.
 *
 * A tree: of steps with the same bytes before them, one is kept. It is made of objects that the copier has accepted, and what it does not
 * know is left to the copier.
 */
export class Shapes<Element> {
  readonly #first: Array<Step<Element>> = []
  readonly #trial = new Trial()
  #steps = 0

  /** Copies the object at the cursor. `absent`: it has no shape that is known; `failed`: the same, and values in it were copied in vain. */
  copy (cursor: Cursor, copyValue: CopyValue<Element>): Status {
    if (!this.#trial.begin(this)) return absent
    let status: Status = absent
    for (let steps = this.#first; ;) {
      const step = findStep(cursor, steps)
      if (step === undefined) return status
      step.target.put(cursor)
      const { element } = step
      if (element === undefined) {
        this.#trial.succeed()
        return copied
      }
      status = failed
      if (copyValue(cursor, element) !== copied) return status
      steps = step.next
    }
  }

  /** Takes down how the object from `at` to the cursor was copied to `to`. */
  learn (cursor: Cursor, at: number, to: number, values: ReadonlyArray<CopiedValue<Element>>, count: number): void {
    if (this.#trial.isResting) return
    let steps = this.#first
    for (let i = 0; i <= count; i++) {
      const value = i < count ? values[i] : undefined
      const step = this.#addStep(cursor, steps, at, to, value)
      if (step === undefined || value === undefined) return
      steps = step.next
      at = value.end
      to = value.toEnd
    }
  }

  #addStep (
    { source, target, at: end, to: toEnd }: Cursor, steps: Array<Step<Element>>, at: number, to: number, value?: CopiedValue<Element>
  ): Step<Element> | undefined {
    const bytes = source.subarray(at, value?.at ?? end)
    const element = value?.element
    const known = steps.find((step) => step.element === element && step.source.equals(bytes))
    if (known !== undefined) return known
    if (this.#steps === maxSteps || steps.length === maxBranches || bytes.length > maxLiteralBytes) return undefined
    this.#steps++
    const written = target.subarray(to, value?.to ?? toEnd)
    const step: Step<Element> = { source: new Literal(bytes), target: new Literal(written), element, next: [] }
    steps.push(step)
    return step
  }

  forget (): void {
    this.#first.length = 0
    this.#steps = 0
  }
}

/** Passes over the bytes of the step that they lead to. The one that was taken last is tried first. */
function findStep<Element> (cursor: Cursor, steps: Array<Step<Element>>): Step<Element> | undefined {
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!
    if (!step.source.take(cursor)) continue
    if (i > 0) {
      steps[i] = steps[0]!
      steps[0] = step
    }
    return step
  }
  return undefined
}
