export type { Attempt } from './attempt.ts'
export { cancelExport } from './cancel.ts'
export { beginDownload, endDownload, renewDownload } from './downloads.ts'
export { failExport, handOnExport, publishExport, retryExport } from './endings.ts'
export { claimGarbage, expireExports, forgetDroppedFiles, releaseGarbage, removeExpiredExports, removeStaleDownloads } from './expiry.ts'
export {
  countPublishedFiles, filesPerReading, findDroppableFiles, findPublishedFile, findPublishedFiles, intendFile, judgePin, markFileDropped,
  recordFile, sumFiles, type IntendedFile, type StoredContent, type StoredFigures,
} from './ledger.ts'
export { manifestSchema, type Manifest, type ManifestItem } from './manifest.ts'
export { findExport, findExportsOf, isExportId, type ExportSummary } from './find.ts'
export {
  assertAcceptsExports, createExport, findKickOffExcess, type KickOffExcess, type KickOffLimits, type NewExport,
} from './kick-off.ts'
export { claimExport, findWaitingExports, renewLease, type Claim, type ClaimedExport, type Progress } from './lease.ts'
export { readStoredParameters, type ExportParameters } from './parameters.ts'
export {
  announceSnapshot, failPart, findPartResults, finishPart, forgetSnapshots, handBackPart, mostLosses, readPartsState, renewPart,
  shareAttempt, takePart, type PartResult, type TakenPart, type Turn,
} from './parts.ts'
export { forgetQuietCallers, takeRequests } from './request-limit.ts'
export {
  activeStatuses, exportLevels, exportStatuses, fileLists, roles, wireProfiles, type ExportLevel, type ExportStatus, type FileList,
  type Role, type WireProfile,
} from '../vocabulary.ts'
export { findExportOverviews, findOverview, type ExportOverview, type HourOverview, type Overview, type PageEnd } from './overview.ts'
export { findWorkerSilence, findWorkers, noteWorker, workerAbsentMs, workerBeatMs } from './workers.ts'
