import type { FastifyPluginAsync } from 'fastify'

/** A dependency that is asked whether it can be used now: rejects if not. */
export type Check = (signal: AbortSignal) => Promise<unknown>

const deadlineMs = 2_000

/** For an orchestrator: no token, and no more said than which dependency is down. */
export const health: FastifyPluginAsync<{ checks: Record<string, Check> }> = async function health (app, { checks }) {
  const method = ['GET', 'HEAD']

  app.route({
    method,
    url: '/livez',
    handler: async function reportAlive (_request, reply) {
      return await reply.header('Cache-Control', 'no-store').send({ status: 'alive' })
    },
  })

  app.route({
    method,
    url: '/readyz',
    handler: async function reportReady (request, reply) {
      const down = await findDown(checks, (err, dependency) => { request.log.warn({ err, dependency }, 'not ready') })
      reply.header('Cache-Control', 'no-store')
      return down.length === 0
        ? await reply.send({ status: 'ready' })
        : await reply.code(503).send({ status: 'unavailable', down })
    },
  })
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
