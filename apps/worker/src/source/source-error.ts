import { ServiceError } from '@fhir-bulk-export/core/errors'

/**
 * PostgreSQL's error as one of the source, where it has an SQLSTATE; else as it is. It names what was read and, where PostgreSQL says so,
 * the column. Never PostgreSQL's own message: "invalid input syntax for type date" quotes the value.
 */
export function toSourceError (error: unknown, relation: string): unknown {
  const { code, column } = toFields(error)
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return error
  const where = column === undefined ? relation : `column ${column} of ${relation}`
  return new ServiceError('SOURCE_FAILED', `${where} ${toProblem(error)}`, { cause: error })
}

function toProblem (error: unknown): string {
  const { code, routine } = toFields(error)
  if (routine === 'check_enable_rls') {
    return 'is under row-level security, which would hide rows: the role of DATABASE_URL, or the owner of the view, needs BYPASSRLS (SQLSTATE 42501)'
  }
  if (code === '42501') return 'may not be read (SQLSTATE 42501)'
  if (code === '42P01' || code === '42703') return `is not as it was when this attempt began: a relation or a column is missing (SQLSTATE ${code})`
  if (code?.startsWith('22')) return `holds a value that PostgreSQL cannot convert (SQLSTATE ${code})`
  return `could not be read (SQLSTATE ${code})`
}

/** Data exceptions (22), and what is missing or may not be read (42): the next attempt would meet the same. */
export function isLastingSourceError (error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'SOURCE_FAILED' && /^(22|42)/.test(toFields(error.cause).code ?? '')
}

/** The chunks as they are; what goes wrong under way names the relation. */
export async function * namingRelation (chunks: AsyncIterable<Buffer>, relation: string): AsyncGenerator<Buffer> {
  try {
    yield * chunks
  } catch (error) {
    throw toSourceError(error, relation)
  }
}

/** Of an error of pg's: where in PostgreSQL's sources it was raised, and the column, are fields of the protocol and in no language. */
function toFields (error: unknown): { code?: string, column?: string, routine?: string } {
  if (!(error instanceof Error)) return {}
  const { code, column, routine } = error as Error & Record<string, unknown>
  return Object.fromEntries(Object.entries({ code, column, routine }).filter(([, value]) => typeof value === 'string'))
}
