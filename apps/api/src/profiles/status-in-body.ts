import { toOutcome } from '../errors/outcome.ts'
import { toIpfsManifest } from './manifest.ts'
import { toFailure, type Profile } from './profile.ts'
import { toExpires, toProgress, toProgressHeaders } from './progress.ts'

/** Without a Prefer header: every status is a 200, and the body names it. A deleted export is a cancelled one. */
export const statusInBody: Profile = {
  prefer: [],
  running: (state) => ({ code: 200, headers: toProgressHeaders(state), body: toProgress(state.row) }),
  completed: (state) => ({ code: 200, headers: toExpires(state.row), body: toIpfsManifest(state) }),
  failed: ({ row, publicUrl }) => ({ code: 200, headers: {}, body: { ...toProgress(row), error: toOutcome(toFailure(row), publicUrl) } }),
  cancelled: ({ row }) => ({ code: 200, headers: {}, body: toProgress(row) }),
  deleted: () => 204,
  listsDeleted: true,
}
