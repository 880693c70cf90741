export type { Attempt } from './attempt.ts'
export { cancelExport } from './cancel.ts'
export { beginDownload, endDownload, renewDownload } from './downloads.ts'
export { failExport, handOnExport, publishExport, retryExport } from './endings.ts'
export { claimGarbage, expireExports, forgetDroppedFiles, releaseGarbage, removeExpiredExports, removeStaleDownloads } from './expiry.ts'
export {
  countPublishedFiles, filesPerReading, findDroppableFiles, findPublishedFile, findPublishedFiles, intendFile, judgePin, markFileDropped,
  recordFile, sumFiles,
} from './ledger.ts'
export type { IntendedFile, StoredContent, StoredFigures } from './ledger.ts'
export { manifestSchema } from './manifest.ts'
export type { Manifest, ManifestItem } from './manifest.ts'
export { findExport, findExportsOf } from './find.ts'
export type { ExportSummary } from './find.ts'
export { assertAcceptsExports, createExport, findKickOffExcess } from './kick-off.ts'
export type { KickOffExcess, KickOffLimits, NewExport } from './kick-off.ts'
export { claimExport, findWaitingExports, renewLease } from './lease.ts'
export type { Claim, ClaimedExport, Progress } from './lease.ts'
export { readParameters } from './parameters.ts'
export type { ExportParameters } from './parameters.ts'
export {
  announceSnapshot, failPart, findPartResults, finishPart, forgetSnapshots, handBackPart, readPartsState, renewPart, shareAttempt, takePart,
} from './parts.ts'
export type { PartResult, TakenPart, Turn } from './parts.ts'
export { forgetQuietCallers, takeRequests } from './request-limit.ts'
export { activeStatuses, exportLevels, exportStatuses, fileLists, roles, wireProfiles } from '../vocabulary.ts'
export type { ExportLevel, ExportStatus, FileList, Role, WireProfile } from '../vocabulary.ts'
export { findWorkerSilence, noteWorker, workerBeatMs } from './workers.ts'
