import type { StaticDecode, TObject, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { ServiceError } from '../errors.ts'

export type Environment = Record<string, string | undefined>

/**
 * Reads the schema's variables from the environment, once, and freezes them. An empty value counts as unset.
 * `findConflicts` is told which of them are set, and all values with the defaults (still encoded), and returns a line for each that
 * does not go with the others.
 * @throws ServiceError CONFIG_INVALID that names every variable that is missing or wrong, and no value.
 */
export function readConfig<T extends TObject> (schema: T, environment: Environment, findConflicts: (given: ReadonlySet<string>, values: Record<string, unknown>) => string[] = () => []): Readonly<StaticDecode<T>> {
  const given: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(schema.properties)) {
    const text = environment[name]
    if (text !== undefined && text !== '') given[name] = toTyped(property, text)
  }
  const candidate = Value.Default(schema, { ...given }) as Record<string, unknown>
  const problems = new Map<string, string>()
  for (const { path, schema: { expected, description } } of Value.Errors(schema, candidate)) {
    const name = path.slice(1).split('/')[0] ?? ''
    if (!problems.has(name)) {
      const state = name in given ? '' : 'is not set; '
      problems.set(name, `${name}: ${state}expected ${expected ?? description ?? 'another value'}`)
    }
  }
  const lines = [...problems.values(), ...findConflicts(new Set(Object.keys(given)), candidate)]
  if (lines.length > 0) throw new ServiceError('CONFIG_INVALID', lines.join('\n'))
  return Object.freeze(Value.Decode(schema, candidate))
}

/** Numbers and booleans out of their texts; what is not exactly one stays text, and is refused (TypeBox's Convert would make 1 of 1.5). */
function toTyped (schema: TSchema, text: string): unknown {
  if (schema.type === 'integer' && /^[0-9]{1,15}$/.test(text)) return Number(text)
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}
