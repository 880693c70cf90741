import { wireProfiles, type ExportStatus, type WireProfile } from '@fhir-bulk-export/core/exports'
import type { ExportState, Profile, StatusAnswer } from './profile.ts'
import { respondAsync } from './respond-async.ts'
import { separateExportStatus } from './separate-export-status.ts'
import { statusInBody } from './status-in-body.ts'

export const profiles: Record<WireProfile, Profile> = {
  'status-in-body': statusInBody,
  'respond-async': respondAsync,
  'separate-export-status': separateExportStatus,
}

/** The one of which Prefer names the most. Unknown preferences are ignored. */
export function chooseProfile (preferences: ReadonlyMap<string, string>): WireProfile {
  return wireProfiles.findLast((name) => profiles[name].prefer.every((preference) => preferences.has(preference))) ?? 'status-in-body'
}

export const profilesThatListDeleted = wireProfiles.filter((name) => profiles[name].listsDeleted)

const states = {
  pending: 'running',
  in_progress: 'running',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
} as const satisfies Record<ExportStatus, keyof Profile>

/** @throws ServiceError where the profile of the export says so. */
export function toStatusAnswer (state: ExportState): StatusAnswer {
  const { profile, status } = state.row
  return profiles[profile][states[status]](state)
}
