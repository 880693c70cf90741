import type { StaticDecode, TObject, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { ServiceError } from '../errors.ts'
import { readSecretFile } from './read-secret-file.ts'

export type Environment = Record<string, string | undefined>

/**
 * Reads the schema's variables from the environment and freezes them. An empty value counts as unset. A variable that the schema marks
 * with `isSecret` may stand in a file, which NAME_FILE names.
 * `findConflicts` is told which of them are set, and all values with the defaults (still encoded), and returns a line for each that
 * does not go with the others.
 * @throws ServiceError CONFIG_INVALID that names every variable that is missing or wrong, and no value.
 */
export function readConfig<T extends TObject> (
  schema: T, environment: Environment, findConflicts: (given: ReadonlySet<string>, values: Record<string, unknown>) => string[] = () => []
): Readonly<StaticDecode<T>> {
  const given: Record<string, unknown> = {}
  const givenBy = new Map<string, string>()
  const problems = new Map<string, string>()
  for (const [name, property] of Object.entries(schema.properties)) {
    const found = findText(name, property, environment)
    if (found === undefined) continue
    givenBy.set(name, found.variable)
    if ('problem' in found) problems.set(name, `${found.variable}: ${found.problem}`)
    else given[name] = toTyped(property, found.text)
  }
  const candidate = Value.Default(schema, { ...given }) as Record<string, unknown>
  for (const { path, schema: { expected, description } } of Value.Errors(schema, candidate)) {
    const name = path.slice(1).split('/')[0] ?? ''
    if (!problems.has(name)) {
      const state = name in given ? '' : 'is not set; '
      problems.set(name, `${givenBy.get(name) ?? name}: ${state}expected ${expected ?? description ?? 'another value'}`)
    }
  }
  const lines = [...problems.values(), ...findConflicts(new Set(givenBy.keys()), candidate)]
  if (lines.length > 0) throw new ServiceError('CONFIG_INVALID', lines.join('\n'))
  return Object.freeze(Value.Decode(schema, candidate))
}

/** `variable`: NAME or NAME_FILE. `problem` completes the sentence that begins with it. */
type Found = { variable: string } & ({ text: string } | { problem: string })

function findText (name: string, schema: TSchema, environment: Environment): Found | undefined {
  const text = environment[name] ?? ''
  const path = schema.isSecret === true ? environment[`${name}_FILE`] ?? '' : ''
  if (path === '') return text === '' ? undefined : { variable: name, text }
  const variable = `${name}_FILE`
  if (text !== '') return { variable, problem: `expected instead of ${name}, not beside it` }
  try {
    return { variable, text: readSecretFile(path) }
  } catch (error) {
    return { variable, problem: error instanceof Error ? error.message : 'cannot be read' }
  }
}

/** Numbers and booleans out of their texts; any other text stays one, and is refused (TypeBox's Convert would make 1 of 1.5). */
function toTyped (schema: TSchema, text: string): unknown {
  if (schema.type === 'integer' && /^[0-9]{1,15}$/.test(text)) return Number(text)
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}
