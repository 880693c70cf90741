export {
  assertTakesJobs, createExportQueue, createExportWorker, exportQueueName, partQueueName, type Doorbell, type ExportJob,
  type ExportJobData, type ExportProcessor, type ExportQueue, type ExportWorker, type QueueConnectOptions,
} from './export-queue.ts'
export { assertQueueUsable, grantQueue, migrateQueue, queueGrants } from './migrate-queue.ts'
