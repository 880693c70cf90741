/**
 * Whether a node talks to anybody, judged by its configuration (https://github.com/ipfs/kubo/blob/master/docs/config.md): a
 * document that differs from version to version, so nothing in it is taken for granted. A node is private
 * only if it can be seen that it knows no peers, and either tells nobody what it has or cannot be reached. What is missing or of
 * another form counts as public: its default may be.
 *
 * A swarm key (a private network) is not in the configuration: it needs IPFS_ALLOW_PUBLIC.
 */

/** What makes the node public, a sentence each; empty: private. The document's values are not repeated. */
export function findKuboExposures (configuration: unknown): string[] {
  if (!isObject(configuration)) return ['its configuration cannot be read, for which a token needs the path /api/v0/config/show']
  const known = [...findKnownPeers(configuration)]
  const announcing = [...findAnnouncing(configuration)]
  const reachable = [...findReachable(configuration)]
  // Either will do. Of two incomplete ones the operator is told both.
  return announcing.length === 0 || reachable.length === 0 ? known : [...known, ...announcing, ...reachable]
}

/** `ipfs bootstrap rm --all` leaves an empty list, or null in some versions. `["auto"]` stands for the public ones. */
function * findKnownPeers (configuration: object): Generator<string> {
  const bootstrap = at(configuration, 'Bootstrap')
  if (bootstrap !== null && !isEmptyList(bootstrap)) yield 'Bootstrap is not an empty list: it connects to other nodes'
}

function * findAnnouncing (configuration: object): Generator<string> {
  if (at(configuration, 'Routing', 'Type') !== 'none') yield 'Routing.Type is not "none": it takes part in a network that finds content'
  if (!isProvidingOff(configuration)) yield 'it announces what it has: Provide.Enabled is not false'
}

/** `Provide` is Kubo's from 0.38 on; before, 0.37 had `Provider.Enabled`, and all had `Reprovider.Interval`, "0" for never. */
function isProvidingOff (configuration: object): boolean {
  const enabled = at(configuration, 'Provide', 'Enabled')
  if (enabled !== undefined || at(configuration, 'Provide') !== undefined) return enabled === false
  return at(configuration, 'Provider', 'Enabled') === false || /^0(h|m|s|ms)?$/.test(String(at(configuration, 'Reprovider', 'Interval')))
}

/** A node that does not listen can still be reached over connections that it opens itself. */
function * findReachable (configuration: object): Generator<string> {
  if (!isEmptyList(at(configuration, 'Addresses', 'Swarm'))) yield 'Addresses.Swarm is not an empty list: it listens for other nodes'
  const peers = at(configuration, 'Peering', 'Peers')
  if (peers !== undefined && peers !== null && !isEmptyList(peers)) yield 'Peering.Peers is not empty: it connects to other nodes'
  if (at(configuration, 'Discovery', 'MDNS', 'Enabled') !== false) yield 'Discovery.MDNS.Enabled is not false: it looks for nodes nearby'
}

function at (value: unknown, ...path: string[]): unknown {
  return path.reduce((found: unknown, name) => isObject(found) ? Object.getOwnPropertyDescriptor(found, name)?.value : undefined, value)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0
