import { consent } from './consent.ts'
import { define, type Definition } from './definition.ts'
import { documentReference } from './document-reference.ts'
import { group } from './group.ts'
import { patient } from './patient.ts'
import { provenance } from './provenance.ts'
import { resourceTypes } from '../r4/index.ts'

/** The types with columns of their own, one file each. Every other type of R4 has its relation's name and nothing else. */
const withColumns: ReadonlyMap<string, Definition> = new Map([patient, documentReference, consent, provenance,
  group].map((definition) => [definition.type, definition]))

const definitions = new Map(resourceTypes.map((type) => [type, withColumns.get(type) ?? define(type, toSnakeCase(type))]))
const typesOfRelations = new Map([...definitions.values()].map(({ relation, type }) => [relation, type]))

/** @throws Error for what is no resource type of R4. */
export function getDefinition (type: string): Definition {
  const definition = definitions.get(type)
  if (definition === undefined) throw new Error(`${type} is not a resource type of FHIR R4`)
  return definition
}

/** The name of a type's relation in schema `source`: snake_case, but for those with columns. */
export function toRelation (type: string): string {
  return getDefinition(type).relation
}

export function findResourceType (relation: string): string | undefined {
  return typesOfRelations.get(relation)
}

export function toSnakeCase (type: string): string {
  return type.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()
}
