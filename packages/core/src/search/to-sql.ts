import type { SourceRelation } from '../resources/index.ts'
import { toCondition, type Bind } from './condition.ts'
import { toDocument } from './document.ts'
import type { TypeFilter } from './type-filter.ts'

/** What is to be put into the SQL that reads a type's rows (alias `r`), and the settings that its session needs for it. */
export interface FilterSql {
  /** By type; none for a type that is not filtered: a filter of one type does not limit the others. */
  conditions: Record<string, string>
  /** The values, by the name of their setting. */
  settings: Record<string, string>
}

/**
 * Any of a type's filters, in each all criteria, of each any value. The text is made of the R4 table alone; values are read from the
 * session, once for a statement. One that is missing is an error, never "no filter".
 */
export function toFilterSql (
  filters: readonly TypeFilter[], relations: readonly SourceRelation[], { mrnSystem, now }: { mrnSystem: string | undefined, now: Date }
): FilterSql {
  const settings: Record<string, string> = {}
  const bind: Bind = (value) => {
    const name = `fhir_bulk_export.filter_${Object.keys(settings).length + 1}`
    settings[name] = value
    return `(SELECT current_setting('${name}'))`
  }
  const conditions: FilterSql['conditions'] = {}
  for (const [type, ofType] of Map.groupBy(filters, (filter) => filter.type)) {
    const relation = relations.find((known) => known.type === type)
    if (relation === undefined) continue
    const roots = new Set(ofType.flatMap(({ criteria }) =>
      criteria.flatMap(({ parameter }) => parameter.selections.map(({ root }) => root))))
    const document = toDocument(relation, roots, () => mrnSystem === undefined ? 'NULL::text' : bind(mrnSystem))
    const isPlain = /^r\.resource(?:::jsonb)?$/.test(document)
    const condition = ofType.map(({ criteria }) =>
      `(${criteria.map((criterion) => toCondition(isPlain ? document : 'd.doc', criterion, bind, now)).join(' AND ')})`).join(' OR ')
    // Put together once for a row. A plain document stays in sight of indexes.
    const selected = isPlain ? condition : `EXISTS (SELECT FROM (SELECT ${document} AS doc OFFSET 0) AS d WHERE ${condition})`
    // A text that is no object cannot be compared: its row is read, and becomes an error.
    conditions[type] = relation.columns.resource === 'text' ? `${selected} OR r.resource IS NOT JSON OBJECT` : selected
  }
  return { conditions, settings }
}
