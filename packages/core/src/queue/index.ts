export { createExportQueue, createExportWorker, exportQueueName } from './export-queue.ts'
export type { ExportJobData, ExportProcessor, ExportQueue, ExportWorker, QueueConnectOptions } from './export-queue.ts'
export { migrateQueue } from './migrate-queue.ts'
