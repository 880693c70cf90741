export { findSourceProblems } from './check-source.ts'
export { findGroupLine, findGroupLines, type GroupLine } from './group-lines.ts'
export { findMemberIds, findPatientIds, isGroup } from './groups.ts'
export {
  exportedRelations, exportedTypes, relations,
  type Column, type ColumnType, type ExportedType, type Relation, type SourceRow,
} from './relations.ts'
export { getRelation, readSource, type ColumnForm, type Columns, type RelationKind, type Source, type SourceRelation } from './catalog.ts'
export { createCurrentSource, type CurrentSource } from './current-source.ts'
export { ofLivePatient } from './live.ts'
export { toLiveMembers, toMembers } from './members.ts'
