import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { ServiceError } from '../errors.ts'
import { share } from '../readiness.ts'

export interface MetricsServerOptions {
  host: string
  /** 0: any that is free. */
  port: number
  registry: Registry
  /** Asked before the registry is written out. */
  collect: () => Promise<void>
  /** Names of the dependencies that are down. Where it is given, /livez and /readyz are answered, too. */
  findDown?: (() => Promise<string[]>) | undefined
}

export interface MetricsServer { port: number, close: () => Promise<void> }

interface Answer { status: number, type: string, body: string }

const headersTimeoutMs = 5_000
const maxConnections = 32

/**
 * GET and HEAD of /metrics, without a token: the address is enough, and gives numbers alone. Scrapes that come at
 * once share one.
 * @throws ServiceError CONFIG_INVALID that names METRICS_HOST and METRICS_PORT, where it cannot listen.
 */
export async function openMetricsServer ({ host, port, registry, collect, findDown }: MetricsServerOptions): Promise<MetricsServer> {
  const scrape = share(async (): Promise<Answer> => {
    await collect()
    return { status: 200, type: registry.contentType, body: await registry.metrics() }
  })
  const routes = new Map<string, () => Promise<Answer>>([['/metrics', scrape]])
  if (findDown !== undefined) {
    routes.set('/livez', async () => toJson(200, { status: 'alive' }))
    routes.set('/readyz', async () => {
      const down = await findDown()
      return down.length === 0 ? toJson(200, { status: 'ready' }) : toJson(503, { status: 'unavailable', down })
    })
  }

  async function answer (method: string | undefined, url: string | undefined): Promise<Answer> {
    const route = routes.get(url ?? '')
    if (route === undefined) return toJson(404, { status: 'not-found' })
    return method === 'GET' || method === 'HEAD' ? await route() : toJson(405, { status: 'method-not-allowed' })
  }

  const limits = { headersTimeout: headersTimeoutMs, requestTimeout: headersTimeoutMs, connectionsCheckingInterval: 1_000 }
  const server = createServer(limits, (request, response) => {
    void answer(request.method, request.url).catch(() => toJson(500, { status: 'failed' })).then(({ status, type, body }) => {
      const allow = status === 405 ? { Allow: 'GET, HEAD' } : {}
      response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', 'Content-Length': Buffer.byteLength(body), ...allow })
      response.end(request.method === 'HEAD' ? undefined : body)
    })
  })
  server.maxConnections = maxConnections
  server.listen(port, host)
  await once(server, 'listening').catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new ServiceError('CONFIG_INVALID', `METRICS_PORT: nothing can listen there, at METRICS_HOST (${code})`, { cause })
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function toJson (status: number, body: object): Answer {
  return { status, type: 'application/json', body: JSON.stringify(body) }
}
