/** Why an attempt was told to stop: the reason of its AbortSignal. It is no error. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  readonly kind: 'cancelled' | 'lost' | 'shutdown'

  constructor (kind: Interruption['kind']) {
    super(`the attempt was interrupted: ${kind}`)
    this.kind = kind
  }
}
