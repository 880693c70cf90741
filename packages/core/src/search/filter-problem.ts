/** What is wrong with a value of a search parameter, as the end of a sentence that begins with the parameter's name. */
export class FilterProblem extends Error {
  override readonly name = 'FilterProblem'
  /** Not wrong, but not supported. */
  readonly isUnsupported: boolean

  constructor (message: string, isUnsupported = false) {
    super(message)
    this.isUnsupported = isUnsupported
  }
}
