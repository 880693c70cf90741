export { toElements, toReference } from './references.ts'
export { toSearchParameters, type SearchParameter } from './search-parameters.ts'
export { assertFewConditions, parseTypeFilter, splitTypeFilters, typeFilterLimits, type TypeFilter } from './type-filter.ts'
export { toFilterSql, type FilterSql } from './to-sql.ts'
