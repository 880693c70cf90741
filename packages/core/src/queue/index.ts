export { createExportQueue, createExportWorker, exportQueueName } from './export-queue.ts'
export type { ExportJobData, ExportProcessor, ExportQueue, ExportWorker, QueueConnectOptions } from './export-queue.ts'
export { assertQueueMigrated, migrateQueue } from './migrate-queue.ts'
