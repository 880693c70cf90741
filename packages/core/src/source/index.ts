export { findSourceProblems } from './check-source.ts'
export {
  exportedRelations, exportedTypes, relations,
  type Column, type ColumnType, type ExportedType, type Relation, type SourceRow,
} from './relations.ts'
