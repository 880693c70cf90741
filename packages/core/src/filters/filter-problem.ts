/** What is wrong with a value, to be said behind the parameter's name. */
export class FilterProblem extends Error {
  override readonly name = 'FilterProblem'
  readonly isUnsupported: boolean

  constructor (message: string, isUnsupported = false) {
    super(message)
    this.isUnsupported = isUnsupported
  }
}
