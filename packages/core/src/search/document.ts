import { findElement } from '../r4/index.ts'
import { getDefinition, type SourceRelation } from '../resources/index.ts'

/** An element with columns: SQL for the jsonb of its own, and what its elements have. */
interface ElementSql { value?: string, elements: Record<string, ElementSql> }

/**
 * SQL for the document that is searched of a row `r`: its resource as jsonb, as it is exported. Columns of the type's own are put over
 * the elements, of which only `roots` are there. `mrnSystem` gives SQL for text.
 */
export function toDocument ({ type, columns, liveMembers }: SourceRelation, roots: ReadonlySet<string>, mrnSystem: () => string): string {
  const { over, spellings, computed, append, defaults } = getDefinition(type)
  const resource = columns.resource === undefined ? undefined : casts[columns.resource] ?? 'r.resource::jsonb'
  const tree: ElementSql = { elements: {} }
  for (const [column, path] of Object.entries(over)) {
    if (column in columns && isUnder(type, path, roots)) setSql(tree, path.split('.'), toValue(column, columns[column], spellings[column]))
  }
  const standing = Object.entries(defaults).filter(([element]) => roots.has(element)).map(([element, { sql }]) => {
    const made = liveMembers === undefined ? 'NULL' : `${computed[element]?.(liveMembers) ?? 'NULL'}::jsonb`
    return `'${element}', ${sql ?? made}`
  })
  const whole = standing.length === 0 ? "'{}'::jsonb" : `jsonb_strip_nulls(jsonb_build_object(${standing.join(', ')}))`
  const base = resource === undefined ? whole : Object.keys(over).length === 0 ? resource : `coalesce(${resource}, ${whole})`
  const merged = Object.keys(tree.elements).length === 0 ? base : merge(base, tree)
  return Object.entries(append).reduce((document, [path, { from, toSql }]) => {
    if (toSql === undefined || !roots.has(path) || !from.every((column) => column in columns)) return document
    return `(SELECT CASE WHEN d.item IS NULL THEN d.doc
        ELSE d.doc || jsonb_build_object('${path}', coalesce(d.doc -> '${path}', '[]') || d.item) END
      FROM (SELECT ${document} AS doc, ${toSql(mrnSystem())} AS item) AS d)`
  }, merged)
}

const casts: Readonly<Record<string, string>> = {
  jsonb: 'r.resource',
  text: '(CASE WHEN r.resource IS JSON THEN r.resource::jsonb END)', // what is no JSON is an error of its row, not of the query
}

function isUnder (type: string, path: string, roots: ReadonlySet<string>): boolean {
  const root = findElement(type, path.split('.')[0] ?? '')
  return root !== undefined && roots.has(root.base)
}

function setSql ({ elements }: ElementSql, [name = '', ...rest]: string[], value: string): void {
  const element = elements[name] ??= { elements: {} }
  if (rest.length === 0) element.value = value
  else setSql(element, rest, value)
}

/** A column's value, NULL for what stands for nothing. */
function toValue (column: string, form: string | undefined, spellings: Readonly<Record<string, string>> = {}): string {
  const name = `r.${column}`
  if (form === 'json' || form === 'jsonb') return `nullif(nullif(nullif(${name}::jsonb, '[]'), '{}'), '""')`
  if (form !== 'text') return `to_jsonb(${name})`
  const cases = Object.entries(spellings).map(([own, fhir]) => ` WHEN '${own}' THEN '${fhir}'`).join('')
  return `to_jsonb(nullif(${cases === '' ? `${name}::text` : `CASE ${name}::text${cases} ELSE ${name}::text END`}, ''))`
}

/** Objects inside are merged with those of the resource. */
function merge (base: string, { elements }: ElementSql): string {
  const members = Object.entries(elements).map(([name, tree]) => {
    if (Object.keys(tree.elements).length === 0) return `'${name}', ${tree.value ?? 'NULL'}`
    const own = [...(tree.value === undefined ? [] : [tree.value]), `${base} -> '${name}'`, "'{}'"].join(', ')
    return `'${name}', nullif(${merge(`coalesce(${own})`, tree)}, '{}')`
  })
  return `(${base} || jsonb_strip_nulls(jsonb_build_object(${members.join(', ')})))`
}
