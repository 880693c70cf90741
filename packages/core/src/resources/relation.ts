/** Plain data, for it travels to reader threads. */
export interface SourceRelation {
  type: string
  /** Its name in schema `source`. */
  relation: string
  kind: RelationKind
  columns: Columns
  /** Of the relation of Group: SQL of a table of the groups' members (source/members.ts). */
  liveMembers?: string
}

/** `other`: a materialized view or a foreign table. */
export type RelationKind = 'table' | 'partitioned' | 'view' | 'other'
export type Columns = Record<string, ColumnForm>
/** How a column's value is read; `other` (uuid, enum, date, numbers) is cast to text. */
export type ColumnForm = 'text' | 'json' | 'jsonb' | 'timestamptz' | 'boolean' | 'other'
