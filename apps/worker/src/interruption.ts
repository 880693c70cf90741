/** Why an attempt was told to stop. It is the reason of the attempt's AbortSignal, so that nobody takes it for an error. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  readonly kind: 'cancelled' | 'lost' | 'shutdown'

  constructor (kind: Interruption['kind']) {
    super(`the attempt was interrupted: ${kind}`)
    this.kind = kind
  }
}
