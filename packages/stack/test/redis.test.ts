import { Redis } from 'ioredis'
import t from 'tap'
import { needs } from '../src/optional-servers.ts'
import { hasRedis, startRedis } from '../src/redis.ts'

t.test('without redis-server on PATH there is none, and the error says how to get it', async t => {
  t.intercept(process, 'env', { value: { PATH: t.testdir({}) } })
  t.equal(await hasRedis(), false)
  await t.rejects(startRedis(), { message: /apt-get install redis-server/ })
})

t.test('redis-server on PATH gives a server of our own that evicts and keeps nothing', needs('redis'), async t => {
  const server = await startRedis()
  const redis = new Redis(server.url)
  try {
    t.strictSame(await redis.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'noeviction'])
    t.strictSame(await redis.config('GET', 'save'), ['save', ''])
    t.strictSame(await redis.config('GET', 'bind'), ['bind', '127.0.0.1'])
  } finally {
    redis.disconnect()
    await server.stop()
  }
  await t.rejects(fetch(server.url.replace('redis:', 'http:')), { cause: { code: 'ECONNREFUSED' } })
})
