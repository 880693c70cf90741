import { execFile } from 'node:child_process'
import { chmod, readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { findKuboExposures } from '../../src/store/kubo/exposure.ts'

const script = fileURLToPath(new URL('../../../../docker/kubo-init.sh', import.meta.url))

/** Of `ipfs config [--json] <key> <value>` what the script relies on: it sets a key of the document, others stay. */
const ipfs = `#!${process.execPath}
const { readFileSync, writeFileSync } = require('node:fs')
const [command, ...rest] = process.argv.slice(2)
const isJson = rest[0] === '--json'
const [key, value, ...more] = isJson ? rest.slice(1) : rest
if (command !== 'config' || value === undefined || more.length > 0) process.exit(2)
const path = process.env.IPFS_PATH + '/config'
const document = JSON.parse(readFileSync(path, 'utf8'))
const names = key.split('.')
const last = names.pop()
let section = document
for (const name of names) section = section[name] ??= {}
section[last] = isJson ? JSON.parse(value) : value
writeFileSync(path, JSON.stringify(document))
`

/** What of Kubo's defaults since 0.38 matters here, as `ipfs init` writes them. */
const defaults = {
  Addresses: { API: '/ip4/127.0.0.1/tcp/5001', Gateway: '/ip4/0.0.0.0/tcp/8080', Swarm: ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/udp/4001/quic-v1'] },
  AutoConf: {},
  AutoTLS: {},
  Bootstrap: ['auto'],
  DNS: { Resolvers: { '.': 'auto' } },
  Discovery: { MDNS: { Enabled: true } },
  Ipns: { DelegatedPublishers: ['auto'] },
  Peering: { Peers: null },
  Provide: { DHT: {} },
  Routing: { DelegatedRouters: ['auto'] },
  Swarm: { DisableNatPortMap: false },
}

t.test('the container of Kubo makes of a public node one that the worker takes for private, with a swarm key of its own', async (t) => {
  const directory = t.testdir({ bin: { ipfs }, repo: { config: JSON.stringify(defaults) } })
  await chmod(`${directory}/bin/ipfs`, 0o755)
  const repo = `${directory}/repo`
  const start = async () => { await promisify(execFile)('sh', [script], { env: { PATH: `${directory}/bin:${process.env.PATH}`, IPFS_PATH: repo } }) }

  t.not(findKuboExposures(defaults).length, 0)
  await start()
  const text = await readFile(`${repo}/config`, 'utf8')
  t.strictSame(findKuboExposures(JSON.parse(text)), [])
  t.notMatch(text, /"auto"/, 'with a swarm key, Kubo does not start with one of these')
  t.match(JSON.parse(text), { Addresses: { API: '/ip4/0.0.0.0/tcp/5001', Gateway: '/ip4/127.0.0.1/tcp/8080', Swarm: ['/ip4/127.0.0.1/tcp/4001'] } })

  const key = await readFile(`${repo}/swarm.key`, 'utf8')
  t.match(key, /^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n$/)
  t.equal((await stat(`${repo}/swarm.key`)).mode & 0o777, 0o600)
  await start()
  t.equal(await readFile(`${repo}/swarm.key`, 'utf8'), key, 'made once')
})
