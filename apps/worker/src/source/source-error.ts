import { isServiceError, ServiceError } from '@fhir-bulk-export/core/errors'
import {
  findPostgresFailure, hasSqlState, isDataException, isLastingFailure, isUnderRowSecurity,
} from '@fhir-bulk-export/core/postgres-errors'

/**
 * PostgreSQL's error as SOURCE_FAILED; any other as it is. The message names what was read and, where PostgreSQL tells it, the column.
 * It never repeats PostgreSQL's own message: "invalid input syntax for type date" quotes the value.
 */
export function toSourceError (error: unknown, relation: string): unknown {
  const failure = findPostgresFailure(error)
  if (failure === undefined) return error
  const where = failure.column === undefined ? relation : `column ${failure.column} of ${relation}`
  return new ServiceError('SOURCE_FAILED', `${where} ${toProblem(error)} (SQLSTATE ${failure.sqlState})`, { cause: error })
}

function toProblem (error: unknown): string {
  if (isUnderRowSecurity(error)) {
    return 'is under row-level security, which would hide rows: the role of DATABASE_URL, or the owner of the view, needs BYPASSRLS'
  }
  if (hasSqlState(error, 'insufficientPrivilege')) return 'may not be read'
  if (hasSqlState(error, 'lockNotAvailable')) return 'is locked, or somebody waits to change it'
  if (hasSqlState(error, 'undefinedTable', 'undefinedColumn')) {
    return 'is not as it was when this attempt began: a relation or a column is missing'
  }
  return isDataException(error) ? 'holds a value that PostgreSQL cannot convert' : 'could not be read'
}

/** The next attempt would meet the same. */
export function isLastingSourceError (error: unknown): boolean {
  return isServiceError(error, 'SOURCE_FAILED') && isLastingFailure(error.cause)
}

/** The chunks as they are; an error on the way names the relation. */
export async function * namingRelation (chunks: AsyncIterable<Buffer>, relation: string): AsyncGenerator<Buffer> {
  try {
    yield * chunks
  } catch (error) {
    throw toSourceError(error, relation)
  }
}
