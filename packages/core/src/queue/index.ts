export { assertTakesJobs, createExportQueue, createExportWorker, exportQueueName, partQueueName } from './export-queue.ts'
export type { Doorbell, ExportJob, ExportJobData, ExportProcessor, ExportQueue, ExportWorker, QueueConnectOptions } from './export-queue.ts'
export { assertQueueUsable, grantQueue, migrateQueue, queueGrants } from './migrate-queue.ts'
