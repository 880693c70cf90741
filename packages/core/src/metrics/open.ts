import { collect, type MetricSources } from './collect.ts'
import { measureProcess, type SharedMetrics } from './definitions.ts'
import { openMetricsServer, type MetricsServer } from './server.ts'

export interface MetricsConfig { METRICS_HOST: string, METRICS_PORT?: number | undefined }

/** Nothing listens, and nothing is measured by the clock, unless METRICS_PORT is set. */
export async function openMetrics (
  { METRICS_HOST: host, METRICS_PORT: port }: MetricsConfig, metrics: SharedMetrics, sources: MetricSources,
  findDown?: () => Promise<string[]>
): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined
  const { registry } = metrics
  measureProcess(registry)
  return await openMetricsServer({ host, port, registry, collect: async () => { await collect(metrics, sources) }, findDown })
}
