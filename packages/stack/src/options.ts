import { parseArgs } from 'node:util'

type Value = number | number[] | string | boolean
type Widened<V extends Value> = V extends number ? number : V extends number[] ? number[] : V extends string ? string : boolean

/**
 * The options of a command (`--runs 5`, `--rows 10,100`, `--encrypted`), each of the type of its default. Anything else is named in one
 * line on stderr, and the process ends with 2.
 */
export function readOptions<D extends Record<string, Value>> (defaults: D): { [K in keyof D]: Widened<D[K]> } {
  try {
    const options = Object.fromEntries(Object.entries(defaults).map(([name, value]) => [
      name, { type: typeof value === 'boolean' ? 'boolean' as const : 'string' as const },
    ]))
    const { values } = parseArgs({ options })
    const read = Object.entries(defaults).map(([name, value]) => [
      name, values[name] === undefined ? value : toValue(name, values[name], value),
    ])
    return Object.fromEntries(read) as { [K in keyof D]: Widened<D[K]> }
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split('. ')
    console.error(`${reason}; there are: ${Object.keys(defaults).map(name => `--${name}`).join(', ')}`)
    process.exit(2)
  }
}

function toValue (name: string, given: string | boolean | Array<string | boolean>, fallback: Value): Value {
  if (typeof fallback === 'boolean') return given === true
  if (typeof fallback === 'string') return String(given)
  return Array.isArray(fallback) ? String(given).split(',').map(text => toNumber(name, text)) : toNumber(name, String(given))
}

function toNumber (name: string, text: string): number {
  if (!/^\d{1,9}(\.\d+)?$/.test(text)) throw new Error(`--${name} ${text}: expected a number`)
  return Number(text)
}
