import { Redis } from 'ioredis'
import t from 'tap'
import { startRedis } from '../src/redis.ts'
import { testRedisUrl } from '../src/testing.ts'

t.test('REDIS_URL is borrowed as it is', async t => {
  t.intercept(process, 'env', { value: { ...process.env, REDIS_URL: 'redis://redis.example.org:6379/3' } })
  const server = await startRedis()
  t.equal(server?.url, 'redis://redis.example.org:6379/3')
  await server?.stop()
})

t.test('without REDIS_URL and without redis-server on PATH there is none', async t => {
  t.intercept(process, 'env', { value: { PATH: t.testdir({}) } })
  t.equal(await startRedis(), undefined)
})

t.test('redis-server on PATH gives a server of our own that evicts and keeps nothing', { skip: testRedisUrl() === undefined ? 'no redis-server' : false }, async t => {
  t.intercept(process, 'env', { value: { PATH: process.env.PATH } })
  const server = await startRedis()
  if (server === undefined) {
    return // REDIS_URL is borrowed, and there is no redis-server
  }
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
