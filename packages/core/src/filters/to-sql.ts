import { findSearchParameter } from './search-parameters.ts'
import type { SqlContext } from './match.ts'
import type { TypeFilter } from './type-filter.ts'

/** What is to be put into the SQL that reads a type's rows (alias `r`), and the settings that its session needs for it. */
export interface FilterSql {
  /** None for a type that is not filtered: a filter of one type does not limit the others. */
  conditions: Partial<Record<string, string>>
  /** The values, by the name of their setting. */
  settings: Record<string, string>
}

/**
 * Any of a type's filters, in each all parameters, of each any value. The text is made of constants; values are read from the
 * session, once for a statement. One that is missing is an error, never "no filter".
 */
export function toFilterSql (filters: TypeFilter[], mrnSystem: string | undefined): FilterSql {
  const settings: Record<string, string> = {}
  const context: SqlContext = {
    mrnSystem,
    bind: (value) => {
      const name = `fhir_bulk_export.filter_${Object.keys(settings).length + 1}`
      settings[name] = typeof value === 'string' ? value : JSON.stringify(value)
      return `(SELECT current_setting('${name}'))`
    },
  }
  const conditions: FilterSql['conditions'] = {}
  for (const filter of filters) {
    const condition = toCondition(filter, context)
    const other = conditions[filter.type]
    conditions[filter.type] = other === undefined ? condition : `${other} OR ${condition}`
  }
  return { conditions, settings }
}

function toCondition ({ type, parameters }: TypeFilter, context: SqlContext): string {
  const all = parameters.map(({ name, values }) => {
    const parameter = findSearchParameter(type, name)
    if (parameter === undefined) throw new Error(`${type} has no search parameter ${name}`)
    return `(${parameter.match(values, context)})`
  })
  return `(${all.join(' AND ')})`
}
