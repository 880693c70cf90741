export { assertTakesJobs, createExportQueue, createExportWorker, exportQueueName } from './export-queue.ts'
export type { ExportJob, ExportJobData, ExportProcessor, ExportQueue, ExportWorker, QueueConnectOptions } from './export-queue.ts'
export { assertQueueUsable, grantQueue, migrateQueue, queueGrants } from './migrate-queue.ts'
