/** What is written down, and when: an export's changes in their own transactions, a download at its end, refusals by the minute. */
export const auditEvents = [
  'requested', 'started', 'completed', 'failed', 'cancelled', 'deleted', 'expired', 'downloaded', 'refused', 'token-issued', 'token-refused',
] as const
export type AuditEventName = (typeof auditEvents)[number]

export type AuditOutcome = 'success' | 'failure'
export type AuditProcess = 'api' | 'worker'
