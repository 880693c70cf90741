import { findElement } from '@fhir-bulk-export/core/r4'
import { getDefinition } from '@fhir-bulk-export/core/resources'
import type { SourceRelation } from '@fhir-bulk-export/core/source'

/**
 * SQL of a `_typeFilter` over a row `r`: it speaks of columns, which may be missing, or NULL where `resource` has the element. So it is
 * asked of a row of all columns, each of which is what the line has.
 */
export function toFilterCondition (relation: SourceRelation, condition: string): string {
  const { type, columns } = relation
  const { over, other } = getDefinition(type)
  const row = [
    ...['id', 'updated_at'].map((name) => `r.${name}`),
    'patient_id' in columns ? 'r.patient_id' : 'NULL::text AS patient_id',
    ...Object.keys(over).map((name) => `${toColumn(relation, name)} AS ${name}`),
    ...Object.keys(other).map((name) => name in columns ? `r.${name}` : `NULL::text AS ${name}`),
  ]
  return `EXISTS (SELECT FROM (SELECT ${row.join(', ')}) r WHERE ${condition})`
}

/** SQL of a column that lies over an element: its value, or else that of the element in `resource`; NULL where there is neither. */
export function toColumn ({ type, columns }: SourceRelation, name: string): string {
  const path = getDefinition(type).over[name] ?? ''
  const element = findElement(type, path)
  const primitive = element === undefined || element.isList || !element.type.isPrimitive ? undefined : element.type.name
  const sqlType = primitive === undefined ? 'jsonb' : sqlTypes.get(primitive) ?? 'text'
  const values: string[] = []
  if (name in columns) values.push(`r.${name}::${sqlType}`)
  if ('resource' in columns) values.push(toElement(columns.resource === 'text' ? jsonOfText : 'r.resource', path.replaceAll('.', ','), sqlType))
  return values.length === 0 ? `NULL::${sqlType}` : `coalesce(${values.join(', ')})`
}

const sqlTypes: ReadonlyMap<string, string> = new Map([['instant', 'timestamptz'], ['boolean', 'boolean']])

// What is not as it should be is an error of its row, never one of the query.
const jsonOfText = '(CASE WHEN r.resource IS JSON THEN r.resource::json END)'

function toElement (resource: string, path: string, sqlType: string): string {
  const text = `(${resource} #>> '{${path}}')`
  switch (sqlType) {
    case 'jsonb': return `(${resource} #> '{${path}}')::jsonb`
    case 'timestamptz': return `(CASE WHEN pg_input_is_valid(${text}, 'timestamptz') THEN ${text}::timestamptz END)`
    case 'boolean': return `(CASE ${text} WHEN 'true' THEN true WHEN 'false' THEN false END)`
    default: return text
  }
}
