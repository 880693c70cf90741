export { exportQueueName, partQueueName, type QueueConnectOptions } from './connect.ts'
export {
  assertTakesJobs, createExportQueue, createExportWorker, type Doorbell, type ExportJob, type ExportJobData, type ExportProcessor,
  type ExportQueue, type ExportWorker,
} from './export-queue.ts'
export { assertQueueUsable, grantQueue, migrateQueue, queueGrants } from './migrate-queue.ts'
