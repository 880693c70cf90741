import { constants } from 'node:os'

/**
 * PostgreSQL's failures are told apart here, by SQLSTATE: five characters, of which the first two are a class
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html). Messages are in the server's language and may quote a value.
 */
const sqlStates = {
  deadlock: '40P01',
  insufficientPrivilege: '42501',
  invalidParameterValue: '22023',
  invalidSchemaName: '3F000',
  lockNotAvailable: '55P03',
  notInPrerequisiteState: '55000',
  queryCanceled: '57014',
  readOnlyTransaction: '25006',
  undefinedColumn: '42703',
  undefinedFunction: '42883',
  undefinedObject: '42704',
  undefinedTable: '42P01',
} as const

export interface PostgresFailure {
  sqlState: string
  column?: string | undefined
  constraint?: string | undefined
  /** The function in PostgreSQL's sources that raised it. */
  routine?: string | undefined
}

/** What PostgreSQL says of its error, without the message; undefined for the errors of anything else. */
export function findPostgresFailure (error: unknown): PostgresFailure | undefined {
  const sqlState = findText(error, 'code')
  // EPIPE has five letters, too.
  if (sqlState === undefined || !/^[0-9A-Z]{5}$/.test(sqlState) || sqlState in constants.errno) return undefined
  return { sqlState, column: findText(error, 'column'), constraint: findText(error, 'constraint'), routine: findText(error, 'routine') }
}

export function hasSqlState (error: unknown, ...names: Array<keyof typeof sqlStates>): boolean {
  return names.some((name) => sqlStates[name] === findPostgresFailure(error)?.sqlState)
}

function isOfClass (error: unknown, ...classes: string[]): boolean {
  return classes.includes(findPostgresFailure(error)?.sqlState.slice(0, 2) ?? '')
}

/** Data exceptions. */
export function isDataException (error: unknown): boolean {
  return isOfClass(error, '22')
}

/** Data exceptions and constraint violations. Their messages quote the value. */
export function isQuotingValues (error: unknown): boolean {
  return isOfClass(error, '22', '23')
}

/** The content of a row is refused: data exceptions, constraint violations, limits. */
export function isRowRefused (error: unknown): boolean {
  return isOfClass(error, '22', '23', '54')
}

/** The same statement would fail again: data exceptions, and what is missing or may not be read. */
export function isLastingFailure (error: unknown): boolean {
  return isOfClass(error, '22', '42')
}

export function isUnderRowSecurity (error: unknown): boolean {
  return findPostgresFailure(error)?.routine === 'check_enable_rls'
}

const networkErrors: ReadonlySet<string> = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH',
])

/**
 * Connection exceptions, insufficient resources, errors of the server's system, shutdown and start; a statement, a lock or a
 * transaction that took too long, a deadlock or a conflict with others; a primary that became a replica.
 */
const passingStates = /^(08[0-9A-Z]{3}|53[0-9A-Z]{3}|58[0-9A-Z]{3}|57P0[1-5]|57014|55P03|25P0[34]|40001|40P01|25006)$/

/** What pg and its pool raise without a code. */
const brokenConnections = /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/

export function isConnectionBroken (error: unknown): boolean {
  return error instanceof Error && brokenConnections.test(error.message)
}

/** PostgreSQL cannot be used now, and a later try may succeed. Looks at the causes, too. */
export function isDatabaseUnavailable (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = findText(error, 'code') ?? ''
  return networkErrors.has(code) || passingStates.test(code) || isConnectionBroken(error) || isDatabaseUnavailable(error.cause)
}

function findText (error: unknown, field: string): string | undefined {
  const value: unknown = error instanceof Error ? Object.getOwnPropertyDescriptor(error, field)?.value : undefined
  return typeof value === 'string' ? value : undefined
}
