/** What JSON.parse tells a reviver, and TypeScript does not know yet: https://tc39.es/proposal-json-parse-with-source/ */
interface JsonWithSource {
  parse: (text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown) => unknown
  rawJSON: (text: string) => unknown
}
const { parse, rawJSON } = JSON as unknown as JsonWithSource

/** Its properties are in the order of their names, and its numbers have the digits that they came with. */
export interface Parsed { resourceType: string, id?: string, meta?: Record<string, unknown>, entry?: Array<{ resource?: Parsed }> }

export function parseExact (json: string): Parsed {
  return parse(json, revive) as Parsed
}

/** The same text for equal resources; `meta.lastUpdated` is left out, which the source sets. */
export function toCanonical ({ meta: { lastUpdated, ...meta } = {}, ...rest }: Parsed): string {
  return JSON.stringify(Object.keys(meta).length === 0 ? rest : { ...rest, meta })
}

function revive (_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value === 'number' && source !== undefined) return rawJSON(source)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
}
