export { findSourceProblems } from './check-source.ts'
export { findGroup, findGroups, findMemberIds, findPatientIds, isGroup, type StoredGroup } from './groups.ts'
export {
  exportedRelations, exportedTypes, relations,
  type Column, type ColumnType, type ExportedType, type Relation, type SourceRow,
} from './relations.ts'
export { readSource, type ColumnForm, type Columns, type RelationKind, type Source, type SourceRelation } from './catalog.ts'
export { createCurrentSource, type CurrentSource } from './current-source.ts'
export { toMembers } from './members.ts'
