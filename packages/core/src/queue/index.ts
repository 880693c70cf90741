export { assertTakesJobs, createExportQueue, createExportWorker, exportQueueName } from './export-queue.ts'
export type { ExportJob, ExportJobData, ExportProcessor, ExportQueue, ExportWorker, QueueConnectOptions } from './export-queue.ts'
export { assertQueueMigrated, migrateQueue } from './migrate-queue.ts'
