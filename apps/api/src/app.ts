import cors from '@fastify/cors'
import type { Database } from '@fhir-bulk-export/core/db'
import { assertAcceptsExports } from '@fhir-bulk-export/core/exports'
import { fhirBasePath } from '@fhir-bulk-export/core/fhir-base'
import type { Logger } from '@fhir-bulk-export/core/log'
import type { ApiMetrics } from '@fhir-bulk-export/core/metrics'
import type { ExportQueue } from '@fhir-bulk-export/core/queue'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import { createCurrentSource } from '@fhir-bulk-export/core/source'
import { fastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import { toTokenUrl } from './auth/access-token.ts'
import type { ApiConfig } from './config.ts'
import { toRequestId } from './http/request-id.ts'
import { RequestLog } from './http/request-log.ts'
import { toRoutableUrl } from './http/request-target.ts'
import { auth } from './plugins/auth.ts'
import { callerLimit } from './plugins/caller-limit.ts'
import { createClientErrorHandler } from './http/client-errors.ts'
import { createConnections } from './http/connections.ts'
import { toCorsOptions } from './http/cors.ts'
import { docs } from './plugins/docs.ts'
import { createErrorSender } from './errors/error-sender.ts'
import { errors } from './plugins/errors.ts'
import { checkGeneralParameters } from './http/general-parameters.ts'
import { acceptAllMethods, collectMethods, refuseOtherMethods } from './http/methods.ts'
import { countAnswers } from './plugins/count-answers.ts'
import { pollingLimits } from './plugins/polling-limits.ts'
import { protocol } from './plugins/protocol.ts'
import { countRefusals } from './plugins/count-refusals.ts'
import { discovery } from './routes/discovery/discovery.ts'
import { errorCodes } from './routes/discovery/error-codes.ts'
import { deletion } from './routes/export/delete.ts'
import { kickOff } from './routes/export/kick-off.ts'
import { list } from './routes/export/list.ts'
import { status } from './routes/export/status.ts'
import { download } from './routes/files/download.ts'
import { groups } from './routes/groups/groups.ts'
import { health } from './routes/health.ts'
import { operator } from './routes/operator/operator.ts'
import { operatorPage } from './routes/operator/page.ts'
import { token } from './routes/token/token.ts'

export interface Services {
  config: ApiConfig
  db: Kysely<Database>
  queue: ExportQueue
  store: ContentStore
  log: Logger
  metrics: ApiMetrics
}

/** Of one process, below its default limit of open files. */
const maxConnections = 900
/** The whole request: a body of 1 MiB arrives at 420 kbit/s. */
const headersTimeoutMs = 10_000
const requestTimeoutMs = 20_000

function createFramework ({ config, log, metrics }: Services): FastifyInstance {
  const publicUrl = config.PUBLIC_URL
  const loggerInstance: FastifyBaseLogger = log
  const connections = createConnections(maxConnections)
  const app = fastify({
    loggerInstance,
    logController: new RequestLog(),
    genReqId: toRequestId,
    rewriteUrl: ({ url = '/' }) => toRoutableUrl(url),
    frameworkErrors: createErrorSender(publicUrl),
    clientErrorHandler: createClientErrorHandler(publicUrl, connections.isAnswering, (refused) => {
      log.info(refused, 'what came is no request')
      metrics.refusals.inc({ status: String(refused.status), code: refused.code })
    }),
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } }, // what was sent is what is checked
    exposeHeadRoutes: false, // a HEAD would start an export
    return503OnClosing: false,
    http: {
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: 1_000, // of both time-outs
    },
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 120_000, // without a byte in either direction: ends a download without a reader
  })
  connections.follow(app.server)
  app.addHook('preClose', async function endIdleConnections () { connections.endIdle() })
  return app
}

/** The HTTP service. The caller opens and closes its dependencies. */
export async function buildApp (services: Services): Promise<FastifyInstance> {
  const { config, db, queue, store, metrics } = services
  const publicUrl = config.PUBLIC_URL
  const source = createCurrentSource(db)
  const app = createFramework(services)
  await app.register(errors, { publicUrl })
  await app.register(protocol, { publicUrl })
  // Before collectMethods, which would count its route.
  if (config.CORS_ORIGINS.length > 0) await app.register(cors, toCorsOptions(config.CORS_ORIGINS))
  acceptAllMethods(app)
  const methodsOf = collectMethods(app)

  await app.register(countRefusals, { db })
  await app.register(countAnswers, { metrics })
  await app.register(docs, { publicUrl })
  await app.register(health, {
    checks: {
      database: async () => { await assertAcceptsExports(db) },
      queue: async () => { await queue.ping() },
      store: async (signal) => { await store.ping({ signal }) },
    },
  })
  const secret = config.JWT_SECRET
  if (secret !== undefined) await app.register(token, { db, publicUrl, secret, mayBePrivate: config.JWKS_ALLOW_PRIVATE })
  await app.register(discovery, {
    prefix: fhirBasePath, source, publicUrl,
    tokenEndpoint: config.TOKEN_ENDPOINT_URL ?? (secret === undefined ? undefined : toTokenUrl(publicUrl)),
  })
  await app.register(errorCodes, { prefix: fhirBasePath, publicUrl })
  await app.register(operatorPage)
  await app.register(async function authenticated (authenticated) {
    await authenticated.register(auth, { config, db })
    await authenticated.register(callerLimit, { db, perMinute: config.MAX_REQUESTS_PER_MINUTE })
    await authenticated.register(operator, { db, store })
    await authenticated.register(async function fhir (fhir) {
      fhir.addHook('onRequest', checkGeneralParameters)
      await fhir.register(pollingLimits)
      await fhir.register(kickOff, { db, source, queue, config, metrics })
      await fhir.register(status, { db, config })
      await fhir.register(list, { db, config })
      await fhir.register(deletion, { db, config })
      const { EXPORT_ENCRYPTION_KEY: keyring, ENCRYPTION_REQUIRED: isEncryptionRequired } = config
      await fhir.register(download, { db, store, metrics, keyring, isEncryptionRequired })
      await fhir.register(groups, { db, source, config })
    }, { prefix: fhirBasePath })
  })

  refuseOtherMethods(app, methodsOf)
  return app
}
