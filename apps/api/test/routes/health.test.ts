import { eventually } from '@fhir-bulk-export/core/testing/database'
import t from 'tap'
import { startApi, unreachableDatabase } from '../fixtures/api.ts'

t.test('alive and ready need no token', async (t) => {
  const { app } = await startApi(t)
  await eventually(async () => (await app.inject({ url: '/readyz' })).statusCode === 200)
  for (const [url, status] of [['/livez', 'alive'], ['/readyz', 'ready']] as const) {
    const response = await app.inject({ url })
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), { status })
    t.equal((await app.inject({ method: 'HEAD', url })).statusCode, 200)
  }
})

t.test('what is down is named, and one that never answers counts as down', async (t) => {
  const { app } = await startApi(t, {
    wrap: ({ queue, store }) => ({
      queue: { ...queue, ping: async () => { throw new Error('password in the message') } },
      store: { ...store, ping: async () => await new Promise<never>(() => {}) },
    }),
  })
  const answer = await eventually(async () => {
    const response = await app.inject({ url: '/readyz' })
    t.equal(response.statusCode, 503)
    return !response.json().down.includes('database') && response.json()
  })
  t.strictSame(answer, { status: 'unavailable', down: ['queue', 'store'] })
  t.equal((await app.inject({ url: '/livez' })).statusCode, 200)
})

t.test('without a database the service is alive and not ready', async (t) => {
  const { app } = await startApi(t, { wrap: () => ({ db: unreachableDatabase(t) }) })
  const response = await app.inject({ url: '/readyz' })
  t.equal(response.statusCode, 503)
  t.match(response.json(), { down: ['database'] })
  t.equal((await app.inject({ url: '/livez' })).statusCode, 200)
})
