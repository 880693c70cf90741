import type { StaticDecode, TObject } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { ServiceError } from '../errors.ts'

export type Environment = Record<string, string | undefined>

/**
 * Reads the schema's variables from the environment, once, and freezes them. An empty value counts as unset.
 * @throws ServiceError CONFIG_INVALID that names every variable that is missing or wrong, and no value.
 */
export function readConfig<T extends TObject> (schema: T, environment: Environment): Readonly<StaticDecode<T>> {
  const given = Object.fromEntries(Object.keys(schema.properties)
    .map((name) => [name, environment[name]])
    .filter(([, value]) => value !== undefined && value !== ''))
  const candidate = Value.Convert(schema, Value.Default(schema, given))
  const problems = new Map<string, string>()
  for (const { path, schema: { expected, description } } of Value.Errors(schema, candidate)) {
    const name = path.slice(1).split('/')[0] ?? ''
    if (!problems.has(name)) {
      const state = name in given ? '' : 'is not set; '
      problems.set(name, `${name}: ${state}expected ${expected ?? description ?? 'another value'}`)
    }
  }
  if (problems.size > 0) throw new ServiceError('CONFIG_INVALID', [...problems.values()].join('\n'))
  return Object.freeze(Value.Decode(schema, candidate))
}
