export { toElements, toReference } from './references.ts'
export { searchParameters, type SearchParameter } from './search-parameters.ts'
export { assertFewConditions, parseTypeFilter, splitTypeFilters, typeFilterLimits, type TypeFilter } from './type-filter.ts'
export { toFilterSql, type FilterSql } from './to-sql.ts'
