export { findSourceProblems } from './check-source.ts'
export { findGroup, findGroups, findMemberIds, findPatientIds, isGroup, type StoredGroup } from './groups.ts'
export {
  exportedRelations, exportedTypes, relations,
  type Column, type ColumnType, type ExportedType, type Relation, type SourceRow,
} from './relations.ts'
