/** Input of a client, for a message: in quotes, 64 characters at most. */
export function quote (text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)
}
