const systemErrors = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH',
])

/**
 * PostgreSQL: connection exceptions, insufficient resources, errors of its system, shutdown and start; a statement, a lock or a
 * transaction that took too long, a deadlock or a conflict with others; a primary that became a replica.
 */
const databaseErrors = /^(08[0-9A-Z]{3}|53[0-9A-Z]{3}|58[0-9A-Z]{3}|57P0[1-5]|57014|55P03|25P0[34]|40001|40P01|25006)$/

/** What pg and its pool raise without a code. */
const poolErrors = /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/

/** Whether a dependency is away, which a later try may find otherwise, rather than something wrong with us. */
export function isDependencyDown (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return systemErrors.has(code) || databaseErrors.test(code) || poolErrors.test(error.message) || isDependencyDown(error.cause)
}
