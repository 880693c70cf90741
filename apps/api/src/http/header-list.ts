const patterns = { ',': /(?:"(?:\\.|[^"\\])*"?|[^,"])+/g, ';': /(?:"(?:\\.|[^"\\])*"?|[^;"])+/g }

/** The members of a list at `,`, or the parameters of a member at `;` (RFC 9110, 5.6.1 and 5.6.6). Separators in quotes do not count. */
export function splitHeader (text: string, separator: keyof typeof patterns): string[] {
  return (text.match(patterns[separator]) ?? []).map((part) => part.trim()).filter((part) => part !== '')
}

/** `"a \"b\""` → `a "b"`; text without quotes stays as it is. */
export function unquote (text: string): string {
  return /^".*"$/s.test(text) && text.length > 1 ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text
}
