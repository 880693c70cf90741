import type { ApiMetrics } from '@fhir-bulk-export/core/metrics'
import fp from 'fastify-plugin'
import { findReason } from '../http/refusal-reason.ts'

/** Others are counted as one: a client may send any name. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'])

/** Counts each answer, by the route that gave it and never by its address. */
export const countAnswers = fp(async function countAnswers (app, { metrics }: { metrics: ApiMetrics }) {
  app.addHook('onResponse', async function countAnswer (request, reply) {
    const status = String(reply.statusCode)
    const method = methods.has(request.method) ? request.method : 'other'
    metrics.requests.observe({ method, route: request.routeOptions.url ?? 'none', status }, reply.elapsedTime / 1_000)
    if (status.startsWith('4')) metrics.refusals.inc({ status, code: findReason(request)?.code ?? 'other' })
  })
}, { name: 'count-answers' })
