/**
 * The life of an export.
 *
 *   pending ──claim──▶ in_progress ──publish──▶ completed ──DELETE──▶ cancelled
 *      │                 │  ▲   │
 *      │                 │  └───┘ claim again: the lease ran out, or the attempt was handed on
 *      │                 ├──fail──▶ failed
 *      └─────cancel──────┴──cancel──▶ cancelled
 *
 * The row in `bulk_export_jobs` is the truth; the queue only says that there may be work. A claim raises `attempt`, and
 * every later write of that attempt carries the number and is refused once it is no longer the row's own, so that a
 * late, redelivered or paused worker changes nothing. `available_at`, on the database's clock, is the lease while an
 * attempt runs and the backoff while none does: before it no other attempt may claim. `failures` counts attempts that went
 * wrong (errors, and leases that ran out); an attempt handed on at shutdown is not one.
 *
 * `failed` and `cancelled` are final. An ended export expires `EXPORT_TTL` after `ended_at`: from then on it is not
 * found, and the cleanup drops its files and removes its row.
 */
export const exportStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const
export type ExportStatus = (typeof exportStatuses)[number]

/** In these an export waits for a worker or has one: it counts against its requester's limit. */
export const activeStatuses = ['pending', 'in_progress'] as const satisfies ExportStatus[]

/** How the API talks about an export, chosen at kick-off by `Prefer` and kept (apps/api/README.md: wire profiles). */
export const wireProfiles = ['status-in-body', 'respond-async', 'separate-export-status'] as const
export type WireProfile = (typeof wireProfiles)[number]

/** What an export is asked of (Bulk Data 3.0.0, Endpoints). */
export const exportLevels = ['system', 'patient', 'group'] as const
export type ExportLevel = (typeof exportLevels)[number]

export const roles = ['ADMIN', 'PATIENT'] as const
export type Role = (typeof roles)[number]

/** The manifest's three lists (Bulk Data 3.0.0, Response - Complete Status). */
export const fileLists = ['output', 'deleted', 'error'] as const
export type FileList = (typeof fileLists)[number]

/** intended: bytes may come · stored: they are there and pinned · published: in a manifest · dropped: the pin is gone */
export type FileState = 'intended' | 'stored' | 'published' | 'dropped'

/** waiting: for a reader · reading · read: its files are stored · failed: the attempt ends with its error */
export type PartState = 'waiting' | 'reading' | 'read' | 'failed'

/** What is written down, and when: an export's changes in their own transactions, a download at its end, refusals by the minute. */
export const auditEvents = [
  'requested', 'started', 'completed', 'failed', 'cancelled', 'deleted', 'expired', 'downloaded', 'refused', 'token-issued',
  'token-refused',
] as const
export type AuditEventName = (typeof auditEvents)[number]

export type AuditOutcome = 'success' | 'failure'
export type AuditProcess = 'api' | 'worker'
