/** What a client sent, as it is shown in a message: in quotes and not too long. */
export function quote (text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)
}
