import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { createReadiness, type Check } from '@fhir-bulk-export/core/readiness'
import { Type } from '@sinclair/typebox'
import { toAnswer } from '../openapi/answer.ts'

const json = 'application/json'
const alive = Type.Object({ status: Type.Literal('alive') }, { title: 'Alive' })
const ready = Type.Object({ status: Type.Literal('ready') }, { title: 'Ready' })
const unavailable = Type.Object({ status: Type.Literal('unavailable'), down: Type.Array(Type.String()) }, { title: 'Unavailable' })
const readiness = { 200: toAnswer('It can work', json, ready), 503: toAnswer('What is down', json, unavailable) }

/** For an orchestrator: no token, and no more said than which dependency is down. */
export const health: FastifyPluginAsyncTypebox<{ checks: Record<string, Check> }> = async function health (app, { checks }) {
  const method = ['GET', 'HEAD']
  const findDown = createReadiness(checks, (err, dependency) => { app.log.warn({ err, dependency }, 'not ready') })

  app.route({
    method,
    url: '/livez',
    schema: {
      tags: ['Health'],
      operationId: 'getLiveness',
      summary: 'Whether the process is alive',
      security: [],
      response: { 200: toAnswer('It is alive', json, alive) },
    },
    handler: async function reportAlive (_request, reply) {
      return await reply.header('Cache-Control', 'no-store').send({ status: 'alive' })
    },
  })

  app.route({
    method,
    url: '/readyz',
    schema: {
      tags: ['Health'],
      operationId: 'getReadiness',
      summary: 'Whether everything it needs is there',
      security: [],
      response: readiness,
    },
    handler: async function reportReady (_request, reply) {
      const down = await findDown()
      reply.header('Cache-Control', 'no-store')
      return down.length === 0
        ? await reply.send({ status: 'ready' })
        : await reply.code(503).send({ status: 'unavailable', down })
    },
  })
}
