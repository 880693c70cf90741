import t from 'tap'
import { findKuboExposures } from '../../../src/store/kubo/exposure.ts'

/** Parts of documents that other versions of Kubo write (config/init.go, config/profile.go); 0.43's own are in kubo/documents.test.ts. */

const addresses = {
  API: '/ip4/127.0.0.1/tcp/5001',
  Announce: [],
  AppendAnnounce: [],
  Gateway: '/ip4/127.0.0.1/tcp/8080',
  NoAnnounce: [],
  Swarm: ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/tcp/4001', '/ip4/0.0.0.0/udp/4001/quic-v1', '/ip6/::/udp/4001/quic-v1'],
}
const publicPeers = [
  '/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN',
  '/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ',
]
const identity = { PeerID: '12D3KooWJ8Nq2oDz7jZbYLwAxZgRVW5yUEfJbyWQTsQEpXjXXXXX' }

/** Kubo 0.30. */
const kubo030 = {
  Identity: identity,
  Addresses: addresses,
  AutoNAT: {},
  Bootstrap: publicPeers,
  Datastore: { BloomFilterSize: 0, GCPeriod: '1h', StorageGCWatermark: 90, StorageMax: '10GB' },
  Discovery: { MDNS: { Enabled: true } },
  Experimental: { FilestoreEnabled: false, Libp2pStreamMounting: false, UrlstoreEnabled: false },
  Internal: {},
  Peering: { Peers: null },
  Reprovider: {},
  Routing: {},
  Swarm: { AddrFilters: null, DisableNatPortMap: false, RelayClient: {}, RelayService: {} },
}
/** Kubo 0.38: one section for providing, and "auto" for the public network's addresses. */
const kubo038 = {
  Identity: identity,
  Addresses: addresses,
  AutoConf: {},
  AutoTLS: {},
  Bootstrap: ['auto'],
  DNS: { Resolvers: { '.': 'auto' } },
  Discovery: { MDNS: { Enabled: true } },
  Ipns: { DelegatedPublishers: ['auto'] },
  Peering: { Peers: null },
  Provide: { DHT: {} },
  Routing: { DelegatedRouters: ['auto'] },
  Swarm: { AddrFilters: null },
}
const serverProfile = {
  Discovery: { MDNS: { Enabled: false } },
  Swarm: { AddrFilters: ['/ip4/10.0.0.0/ipcidr/8'], DisableNatPortMap: true }
}
const lowPower = { Routing: { Type: 'dhtclient' }, Reprovider: { Interval: '0s' }, AutoNAT: { ServiceMode: 'disabled' } }
const testProfile = { Addresses: { ...addresses, Swarm: ['/ip4/127.0.0.1/tcp/0'] }, Bootstrap: [], Discovery: { MDNS: { Enabled: false } } }
const quiet = { Bootstrap: [], Routing: { Type: 'none' } }
const deaf = { Addresses: { ...addresses, Swarm: [] }, Bootstrap: [], Discovery: { MDNS: { Enabled: false } } }

t.test('private: it knows nobody, and tells nobody what it has', async (t) => {
  for (const [what, configuration] of Object.entries({
    'Kubo 0.38': { ...kubo038, ...quiet, Provide: { Enabled: false, DHT: {} } },
    'Kubo 0.38, bootstrap list null': { ...kubo038, ...quiet, Bootstrap: null, Provide: { Enabled: false } },
    'Kubo 0.38 with peers of its own cluster': {
      ...kubo038, ...quiet, Provide: { Enabled: false },
      Peering: { Peers: [{ ID: 'QmPeer', Addrs: ['/ip4/10.0.0.2/tcp/4001'] }] }
    },
    'Kubo 0.37': { ...kubo030, ...quiet, Provider: { Enabled: false } },
    'Kubo 0.30': { ...kubo030, ...quiet, Reprovider: { Interval: '0' } },
    'Kubo 0.30, server profile': { ...kubo030, ...serverProfile, ...quiet, Reprovider: { Interval: '0s', Strategy: 'all' } },
  })) t.strictSame(findKuboExposures(configuration), [], what)
})

t.test('private: it knows nobody, and cannot be reached', async (t) => {
  for (const [what, configuration] of Object.entries({
    'Kubo 0.38': { ...kubo038, ...deaf },
    'Kubo 0.30': { ...kubo030, ...deaf },
  })) t.strictSame(findKuboExposures(configuration), [], what)
})

t.test('public', async (t) => {
  for (const [what, configuration, named] of [
    ['Kubo 0.30 as it comes', kubo030, [/^Bootstrap/, /^Routing\.Type/, /announces/, /^Addresses\.Swarm/, /MDNS/]],
    ['Kubo 0.38 as it comes', kubo038, [/^Bootstrap/, /^Routing\.Type/, /announces/, /^Addresses\.Swarm/, /MDNS/]],
    ['server profile', { ...kubo030, ...serverProfile }, [/^Bootstrap/, /^Routing\.Type/, /announces/, /^Addresses\.Swarm/]],
    ['lowpower profile', { ...kubo030, ...lowPower }, [/^Bootstrap/, /^Routing\.Type/, /^Addresses\.Swarm/, /MDNS/]],
    ['test profile: it listens, and the DHT is on', { ...kubo030, ...testProfile }, [/^Routing\.Type/, /announces/, /^Addresses\.Swarm/]],
    ['"auto" is a list with something in it', { ...kubo038, ...quiet, Bootstrap: ['auto'], Provide: { Enabled: false } }, [/^Bootstrap/]],
    ['no bootstrap list and nothing else', { ...kubo038, Bootstrap: [] }, [/^Routing\.Type/, /announces/, /^Addresses\.Swarm/, /MDNS/]],
    ['a private network by its settings but for the bootstrap list',
      { ...kubo030, Routing: { Type: 'none' }, Reprovider: { Interval: '0' } }, [/^Bootstrap/]],
    ['a default that is not written down: Provide', { ...kubo038, ...quiet }, [/announces/, /^Addresses\.Swarm/, /MDNS/]],
    ['a default that is not written down: Reprovider', { ...kubo030, ...quiet }, [/announces/, /^Addresses\.Swarm/, /MDNS/]],
    ['Provide counts, not what older versions read', { ...kubo038, ...quiet, Reprovider: { Interval: '0' } },
      [/announces/, /^Addresses\.Swarm/, /MDNS/]],
    ['an interval that is not zero', { ...kubo030, ...quiet, Reprovider: { Interval: '0h12m' } },
      [/announces/, /^Addresses\.Swarm/, /MDNS/]],
    ['routing of its own', { ...kubo038, ...quiet, Provide: { Enabled: false }, Routing: { Type: 'custom', Routers: {} } },
      [/^Routing\.Type/, /^Addresses\.Swarm/, /MDNS/]],
    ['it does not listen, but connects to a peer', { ...kubo038, ...deaf, Peering: { Peers: [{ ID: 'QmPeer' }] } },
      [/^Routing\.Type/, /announces/, /^Peering\.Peers/]],
    ['it does not listen, but looks for peers', { ...kubo038, ...deaf, Discovery: { MDNS: { Enabled: true } } },
      [/^Routing\.Type/, /announces/, /MDNS/]],
    ['values of another form', { ...kubo038, Bootstrap: {}, Routing: 'none', Provide: { Enabled: 'false' }, Addresses: { Swarm: '' } },
      [/^Bootstrap/, /^Routing\.Type/, /announces/, /^Addresses\.Swarm/, /MDNS/]],
    ['an empty document', {}, [/^Bootstrap/, /^Routing\.Type/, /announces/, /^Addresses\.Swarm/, /MDNS/]],
    ['no document', undefined, [/cannot be read/]],
    ['null', null, [/cannot be read/]],
    ['a list', [], [/cannot be read/]],
    ['a text', 'private', [/cannot be read/]],
    ['values that are inherited only', Object.create({ ...kubo038, ...quiet, Provide: { Enabled: false } }),
      [/^Bootstrap/, /^Routing\.Type/, /announces/, /^Addresses\.Swarm/, /MDNS/]],
  ] as const) {
    const exposures = findKuboExposures(configuration)
    t.equal(exposures.length, named.length, `${what}: ${exposures.join('; ')}`)
    for (const [i, expected] of named.entries()) t.match(exposures[i], expected, what)
  }
})

t.test('nothing of the document is repeated', async (t) => {
  t.notMatch(findKuboExposures({ ...kubo030, Bootstrap: ['secret'], Routing: { Type: 'secret' } }).join(), /secret/)
})
