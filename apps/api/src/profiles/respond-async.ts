import { toHttpManifest } from './manifest.ts'
import { toDeletedError, toFailure, type Profile } from './profile.ts'
import { toExpires, toProgress, toProgressHeaders } from './progress.ts'

/** Bulk Data 3.0.0: the status code of the response is the status. */
export const respondAsync: Profile = {
  prefer: ['respond-async'],
  running: (state) => ({ code: 202, headers: toProgressHeaders(state), body: toProgress(state.row) }),
  completed: (state) => ({ code: 200, headers: toExpires(state.row), body: toHttpManifest(state) }),
  failed ({ row }) {
    throw row.dropped_at === null ? toFailure(row) : toDeletedError()
  },
  cancelled () {
    throw toDeletedError()
  },
  deleted (isFirst) {
    if (!isFirst) throw toDeletedError()
    return 202
  },
  listsDeleted: false,
}
