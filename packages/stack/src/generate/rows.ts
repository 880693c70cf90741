/** A list as a column: an empty one is no value. */
export function toColumn<T> (list: T[]): T[] | null {
  return list.length === 0 ? null : list
}

/** A row: null is an empty column, an object is JSON. */
export type Row = Readonly<Record<string, unknown>>

/** The line of a CSV file that COPY reads: a value that is not quoted is NULL. */
export function toCsvLine (row: Row): string {
  return `${Object.values(row).map(toCsvValue).join(',')}\n`
}

function toCsvValue (value: unknown): string {
  if (value === null) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return `"${text.replaceAll('"', '""')}"`
}
