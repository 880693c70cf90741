import type { Socket } from 'node:net'
import type { PoolClient } from 'pg'
import { CopySocket } from './copy-socket.ts'

/** Messages of PostgreSQL's protocol; the last two end a COPY. */
const [copyData, copyDone, errorResponse] = [0x64, 0x63, 0x45]
/** Of a message's length, which counts itself and not the code before it. */
const lengthBytes = 4

/** pg's connection, as far as its types leave it out. */
interface Connection { stream: Socket, query: (sql: string) => void }

type Handler = (bytes: Buffer) => void

/**
 * Runs `COPY … TO STDOUT`. What comes are its CopyData messages, of which each is a row, as they lie in the socket's bytes: with code and
 * length in front, cut anywhere. A chunk is good until the next one is asked for; the socket rests as long as nobody asks.
 *
 * pg-copy-streams copies every message, and has Node make a new buffer for every read.
 */
export async function * copyOut (client: PoolClient, sql: string): AsyncGenerator<Buffer> {
  const copy = new CopyOut(sql)
  void client.query(copy)
  for (let chunk = await copy.next(); chunk !== undefined; chunk = await copy.next()) {
    for (let at = 0; at < chunk.length;) {
      const end = copy.findEnd(chunk, at)
      if (end > at) yield chunk.subarray(at, end)
      at = copy.passOther(chunk, end)
    }
  }
}

/** A query of pg's that takes the socket's bytes before pg does, and gives them back with the first that are not COPY's own. */
class CopyOut {
  readonly text: string
  #stream: Socket | undefined
  /** pg's own, which is set aside. */
  #handler: Handler = () => {}
  #chunk: Buffer | undefined
  #ending: { error?: unknown } | undefined
  #wake: (() => void) | undefined
  /** The message that is under way: its code, how much of its header and of its bytes is to come, and its length as far as it is read. */
  #code = 0
  #headerLeft = 0
  #left = 0
  #length = 0

  constructor (text: string) {
    this.text = text
  }

  // What pg calls.

  submit (connection: Connection): void {
    const { stream } = connection
    const [handler] = stream.listeners('data') as Handler[]
    if (handler === undefined) throw new Error('pg does not listen to its socket')
    this.#handler = handler
    this.#stream = stream
    stream.off('data', handler)
    stream.on('data', this.#onData)
    if (stream instanceof CopySocket) stream.isReusing = true
    connection.query(this.text)
  }

  handleError (error: unknown): void {
    this.#ending ??= { error }
    this.#wake?.()
  }

  handleCommandComplete (): void {}

  handleReadyForQuery (): void {
    this.#ending ??= {}
    this.#wake?.()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunk = chunk
    this.#stream?.pause()
    this.#wake?.()
  }

  /** The next bytes, once those before have been dealt with; undefined at the end. */
  async next (): Promise<Buffer | undefined> {
    if (this.#chunk !== undefined) {
      this.#chunk = undefined
      this.#stream?.resume()
    }
    if (this.#chunk === undefined && this.#ending === undefined) await new Promise<void>((resolve) => { this.#wake = resolve })
    if (this.#ending !== undefined && 'error' in this.#ending) throw this.#ending.error
    return this.#chunk
  }

  /** Up to where there is nothing but CopyData. */
  findEnd (chunk: Buffer, at: number): number {
    while (at < chunk.length && this.#codeAt(chunk, at) === copyData) at = this.#pass(chunk, at)
    return at
  }

  /** Gives pg a message that is its own, or what there is of it; of the last one all that follows, too. */
  passOther (chunk: Buffer, at: number): number {
    if (at === chunk.length) return at
    if (!this.#isUnderWay() && (chunk[at] === copyDone || chunk[at] === errorResponse)) {
      this.#giveBack(chunk.subarray(at))
      return chunk.length
    }
    const end = this.#pass(chunk, at)
    this.#handler(Buffer.from(chunk.subarray(at, end)))
    return end
  }

  #isUnderWay (): boolean {
    return this.#headerLeft > 0 || this.#left > 0
  }

  #codeAt (chunk: Buffer, at: number): number | undefined {
    return this.#isUnderWay() ? this.#code : chunk[at]
  }

  /** Passes what there is of a message. */
  #pass (chunk: Buffer, at: number): number {
    if (!this.#isUnderWay()) {
      this.#code = chunk[at++]!
      this.#headerLeft = lengthBytes
      this.#length = 0
    }
    for (; this.#headerLeft > 0 && at < chunk.length; this.#headerLeft--) {
      this.#length = this.#length << 8 | chunk[at++]!
      if (this.#headerLeft === 1) this.#left = this.#length - lengthBytes
    }
    const passed = Math.min(this.#left, chunk.length - at)
    this.#left -= passed
    return at + passed
  }

  #giveBack (rest: Buffer): void {
    const stream = this.#stream
    if (stream === undefined) return
    stream.off('data', this.#onData)
    stream.on('data', this.#handler)
    if (stream instanceof CopySocket) stream.isReusing = false
    this.#handler(Buffer.from(rest))
    stream.resume()
  }
}
