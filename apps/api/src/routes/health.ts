import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { toAnswer } from '../openapi/answer.ts'

/** A dependency that is asked whether it can be used now: rejects if not. */
export type Check = (signal: AbortSignal) => Promise<unknown>

const deadlineMs = 2_000
/** Anybody may ask, and each answer costs a call to every dependency: within this they share one. */
const sharedMs = 100

const json = 'application/json'
const alive = Type.Object({ status: Type.Literal('alive') }, { title: 'Alive' })
const ready = Type.Object({ status: Type.Literal('ready') }, { title: 'Ready' })
const unavailable = Type.Object({ status: Type.Literal('unavailable'), down: Type.Array(Type.String()) }, { title: 'Unavailable' })
const readiness = { 200: toAnswer('It can work', json, ready), 503: toAnswer('What is down', json, unavailable) }

/** For an orchestrator: no token, and no more said than which dependency is down. */
export const health: FastifyPluginAsyncTypebox<{ checks: Record<string, Check> }> = async function health (app, { checks }) {
  const method = ['GET', 'HEAD']
  const findDownNow = share(async () => await findDown(checks, (err, dependency) => { app.log.warn({ err, dependency }, 'not ready') }))

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
      const down = await findDownNow()
      reply.header('Cache-Control', 'no-store')
      return down.length === 0
        ? await reply.send({ status: 'ready' })
        : await reply.code(503).send({ status: 'unavailable', down })
    },
  })
}

/** `work`, not begun anew while it runs, nor for a while after it was begun. */
function share<T> (work: () => Promise<T>): () => Promise<T> {
  let last: { begun: number, result: Promise<T>, isOver: boolean } | undefined
  return async () => {
    if (last === undefined || (last.isOver && performance.now() - last.begun > sharedMs)) {
      const run = { begun: performance.now(), result: work(), isOver: false }
      run.result.finally(() => { run.isOver = true }).catch(() => {}) // whoever asked hears of it
      last = run
    }
    return await last.result
  }
}

async function findDown (checks: Record<string, Check>, onDown: (error: unknown, name: string) => void): Promise<string[]> {
  const signal = AbortSignal.timeout(deadlineMs)
  const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => {
    try {
      await within(signal, check(signal))
      return []
    } catch (error) {
      onDown(error, name)
      return [name]
    }
  }))
  return results.flat()
}

async function within (signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  const { promise: expired, reject } = Promise.withResolvers<never>()
  const expire = () => { reject(signal.reason) }
  signal.addEventListener('abort', expire)
  try {
    await Promise.race([work, expired])
  } finally {
    signal.removeEventListener('abort', expire)
  }
}
