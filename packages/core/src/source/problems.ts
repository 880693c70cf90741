import { closest, distance } from 'fastest-levenshtein'
import { findElement, resourceTypes } from '../r4/index.ts'
import { getDefinition, toRelation, toSnakeCase } from '../resources/registry.ts'
import { memberElements, membersRelation } from './members.ts'

/** A column as PostgreSQL has it. */
export interface FoundColumn {
  name: string
  /** pg_type.typname, of a domain that of its base; `enum` for any enum. */
  type: string
  /** As `format_type` spells it. */
  declared: string
  isReadable: boolean
}

/** The PostgreSQL types that a column may have, in words and by name. */
interface Fitting { words: string, types: readonly string[] }

const text: Fitting = { words: 'text', types: ['text', 'varchar', 'bpchar', 'enum'] }
const id: Fitting = { words: 'text', types: [...text.types, 'uuid'] }
const timestamp: Fitting = { words: 'timestamptz', types: ['timestamptz'] }
const json: Fitting = { words: 'jsonb', types: ['jsonb', 'json'] }
const integer: Fitting = { words: 'integer', types: ['int4', 'int2', 'int8'] }

/** By the element's datatype; all other primitives are text, and what is no primitive or a list is JSON. */
const fittingPrimitives: ReadonlyMap<string, Fitting> = new Map([
  ['boolean', { words: 'boolean', types: ['bool'] }],
  ['date', { words: 'text or date', types: [...text.types, 'date'] }],
  ['dateTime', { words: 'text or timestamptz', types: [...text.types, 'date', 'timestamptz'] }],
  ['instant', timestamp],
  ['integer', integer],
  ['positiveInt', integer],
  ['unsignedInt', integer],
])

const base: ReadonlyMap<string, Fitting> = new Map([['id', id], ['updated_at', timestamp], ['deleted_at', timestamp]])

/** What a relation's columns have to be: those that must be there first. */
interface Expected { required: readonly string[], columns: ReadonlyMap<string, Fitting> }

/** What an export could not read of a relation, or only with less than it holds. `type` is undefined for patient_group_members. */
export function findProblems (type: string | undefined, relation: string, found: FoundColumn[]): string[] {
  const { required, columns } = type === undefined ? expectMembers() : expectColumns(type)
  const names = found.map(({ name }) => name)
  const problems = required.filter((name) => !names.includes(name)).map((name) => `source.${relation}.${name} is missing`)
  for (const { name, type, declared, isReadable } of found) {
    const fitting = columns.get(name)
    if (fitting === undefined) {
      problems.push(
        `source.${relation}.${name} is not a column that the service knows` +
          hint(name, new Map([...columns.keys()].map((column) => [column, column])))
      )
    } else if (!fitting.types.includes(type)) {
      problems.push(`source.${relation}.${name} is ${declared}, not ${fitting.words}`)
    } else if (!isReadable) {
      problems.push(`source.${relation}.${name} may not be read by this role: GRANT USAGE on the schema and SELECT on the relation`)
    }
  }
  if (type !== undefined && names.every((name) => base.has(name) || name === 'patient_id' || !columns.has(name))) {
    problems.push(`source.${relation} has nothing to export: neither the column resource nor any of its own`)
  }
  return problems
}

/** For a relation of no resource type. */
export function findStrayProblem (relation: string): string {
  return `source.${relation} is not the relation of a resource type of FHIR R4${hint(relation, relations)}`
}

/** Their names, also by what they would be if all were the type's in snake_case. */
const relations: ReadonlyMap<string, string> = new Map([
  ...resourceTypes.flatMap((type) => [toSnakeCase(type), toRelation(type)].map((spelling) => [spelling, toRelation(type)] as const)),
  [membersRelation, membersRelation],
])

/** The name that may have been meant, by spellings of it. */
function hint (name: string, spellings: ReadonlyMap<string, string>): string {
  const nearest = closest(name.toLowerCase(), [...spellings.keys()])
  return distance(name.toLowerCase(), nearest) <= name.length / 2 ? `; the nearest name is ${spellings.get(nearest)}` : ''
}

function expectColumns (type: string): Expected {
  const { over, other } = getDefinition(type)
  const columns = new Map([...base, ['resource', { words: 'jsonb, json or text', types: [...json.types, 'text', 'varchar'] }]])
  if (type !== 'Patient') columns.set('patient_id', id)
  for (const [column, path] of Object.entries(over)) columns.set(column, toFitting(type, path))
  for (const [column, form] of Object.entries(other)) columns.set(column, form === 'json' ? json : text)
  return { required: ['id', 'updated_at'], columns }
}

function expectMembers (): Expected {
  const columns = new Map([...base, ['group_id', id], ['patient_id', id]])
  for (const [column, path] of Object.entries(memberElements)) columns.set(column, toFitting('Group', path))
  return { required: ['id', 'updated_at', 'group_id', 'patient_id'], columns }
}

function toFitting (type: string, path: string): Fitting {
  const element = findElement(type, path)
  if (element === undefined) throw new Error(`FHIR R4 has no element ${type}.${path}`)
  return element.isList || !element.type.isPrimitive ? json : fittingPrimitives.get(element.type.name) ?? text
}
