/** How the copying of a value ended. `absent`: nothing was written, since the value is a spelling of nothing. */
export type Status = typeof failed | typeof copied | typeof absent
export const failed = 0
export const copied = 1
export const absent = 2

/** Writes a value; false: it cannot be written, and the cursor may stand behind a part of it. */
export type PutValue = (cursor: Cursor) => boolean

const wordBytes = 8
/** What is written beside a source without asking for room: `resourceType`, brackets, commas, names. */
const besideSource = 4096

/** Bytes to read, and a view of them by which words of four are read at any place. */
export class Input {
  readonly bytes: Buffer
  readonly words: DataView

  constructor (bytes: Buffer) {
    this.bytes = bytes
    this.words = toWords(bytes)
  }
}

function toWords ({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

/** A place in JSON that is read (`source` from `at` to `end`) and one in JSON that is written (`target` from `to` on). */
export class Cursor {
  /** Changed by `read` alone. */
  input: Input = new Input(Buffer.alloc(0))
  source: Buffer = this.input.bytes
  words: DataView = this.input.words
  at = 0
  end = 0
  /** Changed by `write` and `reserve` alone. */
  target: Buffer = Buffer.allocUnsafe(64 * 1024)
  targetWords: DataView = toWords(this.target)
  to = 0
  depth = 0
  /** Whether shapes are left alone: what is copied was copied once, in vain. */
  isShapeless = false
  /** Of the element whose name was taken last. */
  index = -1
  /** Of the row whose columns lie over the resource: where each field starts, -1 for NULL. */
  fields: Int32Array = noFields
  /**
   * Whether null, "", [] and {} are left out, as spellings of nothing: in a column. Elsewhere they are errors
   * (https://hl7.org/fhir/R4/json.html: no empty values).
   */
  isColumn = false
  /** Where the cursor is, from the resource; where it failed, once it has. */
  readonly path: Array<{ readonly name: string } | string | number> = []
  problem = ''
  /** Called after an Attachment.url was copied: whether it stays. Undefined: all of them stay as they are. */
  takeUrl: ((cursor: Cursor, start: number) => boolean) | undefined

  read (input: Input, start = 0, end = input.bytes.length): void {
    this.input = input
    this.source = input.bytes
    this.words = input.words
    this.at = start
    this.end = end
  }

  /** Goes on with a source, in the middle of which something else was written. */
  resume (input: Input, at: number, end: number): void {
    this.read(input, at, end)
    this.reserveRest()
  }

  /** Makes room for what is left of the source, after something was written that is not in it. */
  reserveRest (more = 0): void {
    this.reserve(this.end - this.at + more + besideSource)
  }

  /** Writes to `target` from `to` on. */
  write (target: Buffer, to: number): void {
    if (target !== this.target) this.#setTarget(target)
    this.to = to
  }

  /** Before a value that is in no other one. */
  begin (): void {
    this.depth = 0
    if (this.path.length > 0) this.path.length = 0 // a call into the runtime, even if nothing changes
    this.isShapeless = false
    this.isColumn = false
    this.takeUrl = undefined
  }

  fail (problem: string): typeof failed {
    this.problem = problem
    return failed
  }

  /** Fails at a step further in. */
  failAt (step: Cursor['path'][number], problem: string): typeof failed {
    this.path.push(step)
    return this.fail(problem)
  }

  /** Makes room for so many bytes more, and for what words write beyond them. */
  reserve (bytes: number): void {
    const needed = this.to + bytes + wordBytes
    if (needed <= this.target.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.target.length, needed))
    this.target.copy(larger, 0, 0, this.to)
    this.#setTarget(larger)
  }

  #setTarget (target: Buffer): void {
    this.target = target
    this.targetWords = toWords(target)
  }

  put (bytes: Uint8Array): void {
    const { target, to } = this
    const { length } = bytes
    if (length > 48) target.set(bytes, to)
    else for (let i = 0; i < length; i++) target[to + i] = bytes[i]!
    this.to = to + length
  }

  skipBlanks (): void {
    const { source, end } = this
    let { at } = this
    while (at < end && isBlank(source[at]!)) at++
    this.at = at
  }

  /** `name[0].given[1]` */
  describePath (): string {
    let text = ''
    for (const step of this.path) {
      if (typeof step === 'number') text += `[${step}]`
      else text += `${text === '' ? '' : '.'}${typeof step === 'string' ? step : step.name}`
    }
    return text
  }
}

const noFields = new Int32Array(0)

export function isBlank (byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
