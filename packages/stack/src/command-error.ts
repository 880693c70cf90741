/** An error whose message is all that the user of a command needs: it is printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
