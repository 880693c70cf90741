export { createApiMetrics, createWorkerMetrics, type ApiMetrics, type AttemptEnding, type WorkerMetrics } from './definitions.ts'
export { countCall, observeStore } from './observe-store.ts'
export { openMetrics } from './open.ts'
