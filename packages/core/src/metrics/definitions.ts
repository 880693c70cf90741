import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/*
 * Every metric of API and worker, once. Names and units follow https://prometheus.io/docs/practices/naming/: base units, `_total`
 * for what only grows. The values of a label come out of lists that the code has (statuses, types of R4, error codes, routes): none is
 * an id, a name, an address or anything else that a caller or a row brings along. docker/README.md says how they are read.
 */

/** Seconds: from one query to a file of a gigabyte. */
const longBuckets = [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 900, 3_600, 14_400]
/** Seconds: of an answer. */
const shortBuckets = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 60]

/** Of an attempt: handed on at a shutdown, without its lease, followed by another one after an error, or by none. */
const attemptEndings = ['done', 'cancelled', 'shutdown', 'lost', 'failed', 'failed_for_good'] as const
export type AttemptEnding = (typeof attemptEndings)[number]

export type SharedMetrics = ReturnType<typeof createSharedMetrics>
export type ApiMetrics = ReturnType<typeof createApiMetrics>
export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>

/** What both have: the ledger, the queue, the pools, the store. */
function createSharedMetrics () {
  const registry = new Registry()
  const { gauge, counter, histogram } = inRegistry(registry)
  return {
    registry,
    exports: gauge('exports', 'Exports in the database, by status', 'status'),
    oldestWaiting: gauge('oldest_waiting_export_seconds',
      'For how long the export that waits longest has waited for a worker; 0: none waits'),
    runningResources: gauge('running_export_resources', 'Rows that the running exports have dealt with so far'),
    files: gauge('files', 'Files in the ledger, by state; those that are stored or published have a pin', 'state'),
    workers: gauge('workers', 'Workers that let themselves be seen lately'),
    queueJobs: gauge('queue_jobs', 'Jobs in the queue, by state', 'state'),
    poolConnections: gauge('database_pool_connections', 'Connections to PostgreSQL, by pool and state', 'pool', 'state'),
    poolWaiting: gauge('database_pool_waiting', 'Queries that wait for a connection, by pool', 'pool'),
    collectFailures: counter('collect_failures_total', 'What a scrape asked for and did not get, by whom it asked; it has no value then',
      'of'),
    storeCalls: histogram('store_call_duration_seconds', 'Calls of the content store, to the last byte', longBuckets, 'operation'),
    storeFailures: counter('store_failures_total', 'Calls of the content store that failed, by operation and error code', 'operation',
      'code'),
  }
}

export function createApiMetrics () {
  const shared = createSharedMetrics()
  const { counter, histogram } = inRegistry(shared.registry)
  const metrics = {
    ...shared,
    requests: histogram('http_request_duration_seconds', 'Requests, until their answer was sent', shortBuckets, 'method', 'route',
      'status'),
    refusals: counter('refusals_total', 'Requests that were answered with 4xx, by error code', 'status', 'code'),
    accepted: counter('accepted_exports_total', 'Exports that were accepted, by level', 'level'),
    enqueueFailures: counter('enqueue_failures_total', 'Accepted exports whose job the queue did not take; a worker finds them'),
    downloads: histogram('download_duration_seconds', 'Downloads, by how they ended: whole or broken_off', longBuckets, 'ending'),
    downloadBytes: counter('download_bytes_total', 'Bytes of files that were sent, before compression'),
  }
  for (const ending of ['whole', 'broken_off']) metrics.downloads.zero({ ending })
  return metrics
}

export function createWorkerMetrics () {
  const shared = createSharedMetrics()
  const { gauge, counter, histogram } = inRegistry(shared.registry)
  const metrics = {
    ...shared,
    runningAttempts: gauge('running_attempts', 'Attempts that this worker runs'),
    attempts: histogram('attempt_duration_seconds', `Attempts, by ending: ${attemptEndings.join(', ')}`, longBuckets, 'ending'),
    leasesLost: counter('leases_lost_total', 'Attempts that ended because their lease was lost'),
    resources: counter('resources_total', 'Lines of files that were published, by list of the manifest and type', 'list', 'type'),
    bytes: counter('file_bytes_total', 'Bytes of files that were published, before encryption, by list of the manifest and type', 'list',
      'type'),
    pins: gauge('store_pins', 'Our pins that the last cleanup found in the store'),
    missingPins: gauge('missing_pins', 'Published files that the last cleanup did not find in the store'),
    orphans: counter('orphaned_pins_total', 'Pins that a cleanup found in the store and the ledger no longer wanted'),
    cleanupSucceeded: gauge('cleanup_last_success_timestamp_seconds', 'When a cleanup of this worker was done without a failure'),
  }
  for (const ending of attemptEndings) metrics.attempts.zero({ ending }) // for Prometheus what begins with 1 has not grown
  return metrics
}

function inRegistry (registry: Registry) {
  const registers = [registry]
  const common = <L extends string>(name: string, help: string, labelNames: L[]) => ({
    name: `fhir_bulk_export_${name}`, help, labelNames,
    registers
  })
  return {
    gauge: <L extends string>(name: string, help: string, ...labels: L[]) => new Gauge(common(name, help, labels)),
    counter: <L extends string>(name: string, help: string, ...labels: L[]) => new Counter(common(name, help, labels)),
    histogram: <L extends string>(name: string, help: string, buckets: number[], ...labels: L[]) =>
      new Histogram({ ...common(name, help, labels), buckets }),
  }
}

/** Event loop, memory, garbage collection, open files: `nodejs_…` and `process_…`. It measures from then on. */
export function measureProcess (registry: Registry): void {
  collectDefaultMetrics({ register: registry })
}
