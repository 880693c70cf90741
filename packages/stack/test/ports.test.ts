import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { findFreePort, isPortFree, startOnFreePort } from '../src/ports.ts'

t.test('a lost race for a port is run again, another failure is not', async t => {
  const tried: number[] = []
  t.equal(await startOnFreePort(async port => {
    tried.push(port)
    if (tried.length < 3) throw new Error('could not bind: Address already in use')
    return 'started'
  }), 'started')
  t.equal(new Set(tried).size, 3)

  let attempts = 0
  const start = async (message: string): Promise<never> => await startOnFreePort(async () => {
    attempts++
    throw new Error(message)
  })
  await t.rejects(start('disk full'), { message: 'disk full' })
  t.equal(attempts, 1)
  await t.rejects(start('address already in use'))
  t.equal(attempts, 4, 'three attempts')
})

t.test('a free port is none that a system gives to clients', async t => {
  const lowestOfLinux = 32_768
  for (let n = 0; n < 100; n++) t.ok(await findFreePort() < lowestOfLinux)
})

t.test('a port is free or not', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.equal(await isPortFree(port), false)
  server.close()
  await once(server, 'close')
  t.equal(await isPortFree(port), true)
})
