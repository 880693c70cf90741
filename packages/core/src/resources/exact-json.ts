/**
 * JSON whose numbers keep their digits (`10.00`, and beyond 2^53): JSON.parse with source text access and JSON.rawJSON, which
 * TypeScript does not know yet (https://tc39.es/proposal-json-parse-with-source/).
 */
interface JsonWithSource {
  parse: (text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown) => unknown
  rawJSON: (text: string) => unknown
}
const json = JSON as unknown as JsonWithSource

export function parseExact (text: string): unknown {
  return json.parse(text, (_key, value, { source }) => typeof value === 'number' && source !== undefined ? json.rawJSON(source) : value)
}

/** Writes what parseExact gave with the digits that it came with. */
export function stringifyExact (value: unknown): string {
  return JSON.stringify(value)
}
