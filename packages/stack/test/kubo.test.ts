import { join } from 'node:path'
import t from 'tap'
import { findKubo, kuboVersion, startKubo } from '../src/kubo/index.ts'
import { needs } from '../src/optional-servers.ts'
import { readCompose } from './containers/fixtures/compose.ts'

t.test('Kubo is the program that KUBO names; an empty name means none, and the error says how to get one', async t => {
  t.intercept(process, 'env', { value: { ...process.env, KUBO: '/opt/ipfs' } })
  t.equal(await findKubo(), '/opt/ipfs')
  t.intercept(process, 'env', { value: { ...process.env, KUBO: '' } })
  t.equal(await findKubo(), undefined)
  await t.rejects(startKubo({ repo: t.testdir() }), { message: /make kubo/ })
})

t.test('without KUBO it is `ipfs` on PATH, or what make kubo built', async t => {
  const folder = t.testdir({ cache: { kubo: { [kuboVersion]: {} } } })
  const env = { PATH: folder, XDG_CACHE_HOME: join(folder, 'cache') }
  t.intercept(process, 'env', { value: env })
  t.equal(await findKubo(), undefined)
})

t.test('a node of our own listens on 127.0.0.1 alone, knows nobody, and is gone when it was stopped', needs('kubo'), async t => {
  const node = await startKubo({ repo: t.testdir() })
  const ask = async (command: string) => await fetch(`${node.url}/api/v0/${command}`, { method: 'POST' })
  t.match(await (await ask('config/show')).json(), {
    Bootstrap: [], Routing: { Type: 'none' }, Provide: { Enabled: false }, Discovery: { MDNS: { Enabled: false } },
    AutoConf: { Enabled: false },
  })
  t.match(await (await ask('swarm/peers')).text(), /online mode/, 'it runs offline')
  for (const url of [node.url, node.gatewayUrl]) t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  await node.stop()
  await t.rejects(ask('version'), { cause: { code: 'ECONNREFUSED' } })
})

t.test('the tests run the release that the containers run', async t => {
  const { services } = await readCompose()
  t.equal(services.kubo?.image, `ipfs/kubo:v${kuboVersion}`)
})
