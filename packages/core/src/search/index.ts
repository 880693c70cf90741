export { toDocument } from './document.ts'
export { searchParametersOf, type SearchKind, type SearchParameter } from './parameters.ts'
export { toFilterSql, type FilterSql } from './to-sql.ts'
export { assertFewConditions, parseTypeFilter, splitTypeFilters, typeFilterLimits, type TypeFilter } from './type-filter.ts'
