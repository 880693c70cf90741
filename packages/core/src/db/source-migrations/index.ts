import type { Migration } from 'kysely/migration'
import * as createSourceTables from './1771771001000-CreateSourceTables.ts'
import * as holdAnyResource from './1771771003010-HoldAnyResource.ts'
import * as countByIndex from './1771771016000-CountByIndex.ts'

/** Every migration of the source's tables, by file name; they run in the order of their names. */
export const migrations: Record<string, Migration> = {
  '1771771001000-CreateSourceTables': createSourceTables,
  '1771771003010-HoldAnyResource': holdAnyResource,
  '1771771016000-CountByIndex': countByIndex,
}
