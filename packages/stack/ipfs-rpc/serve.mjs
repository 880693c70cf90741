/**
 * node serve.mjs <repo folder>: a real IPFS RPC node for development and tests. It speaks to nobody: 127.0.0.1 and a free port
 * for RPC, no swarm addresses, no bootstrap, no discovery, no preload. Prints {"url": "…"} as one line on stdout when it is ready.
 * Ends on SIGTERM and SIGINT, and with its parent: when stdin ends.
 */
import { addAbortSignal, Readable } from 'node:stream'
import { create } from 'ipfs-core'
import { HttpApi } from 'ipfs-http-server'

const [repo] = process.argv.slice(2)
if (repo === undefined) {
  console.error('usage: node serve.mjs <repo folder>')
  process.exit(2)
}

const ipfs = await create({
  repo,
  silent: true,
  offline: true,
  preload: { enabled: false },
  init: { emptyRepo: true, algorithm: 'Ed25519' },
  config: {
    Addresses: { API: '/ip4/127.0.0.1/tcp/0', Gateway: '', RPC: '', Swarm: [], Announce: [], NoAnnounce: [], Delegates: [] },
    Bootstrap: [],
    Discovery: { MDNS: { Enabled: false }, webRTCStar: { Enabled: false } },
    Pubsub: { Enabled: false },
    Routing: { Type: 'none' },
    Swarm: { DisableNatPortMap: true },
  },
})
// js-ipfs does not notice that an upload was broken off: the add would wait for the rest for ever, a garbage collection for the add,
// and whatever comes then for the garbage collection.
const { addAll } = ipfs
ipfs.addAll = (source, options) => addAll(endWith(source, options.signal), options)
const api = new HttpApi(ipfs)
await api.start()
// Node's own limit of 300 s for receiving a request would end a long upload with 400. Kubo has none.
for (const { listener } of api._apiServers) listener.requestTimeout = 0

async function * endWith (source, signal) {
  for await (const entry of source) yield entry.content === undefined ? entry : { ...entry, content: addAbortSignal(signal, Readable.from(entry.content)) }
}

let stopping = false
async function stop () {
  if (stopping) return
  stopping = true
  // A request that hangs (for a collected CID) must not keep the process.
  setTimeout(() => process.exit(0), 2_000).unref()
  await api.stop()
  await ipfs.stop()
  process.exit(0)
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
process.stdin.once('end', stop).once('error', stop).resume()

const { port } = api.apiAddr.toOptions()
console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }))
