/** A column's value that cannot become what its element wants. The problem names the column, never the value. */
export class ValueProblem extends Error {
  override readonly name = 'ValueProblem'
}
