import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runKubo } from '@fhir-bulk-export/stack/kubo'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { findKuboExposures } from '../../../src/store/kubo/exposure.ts'

/** Configuration documents as the program itself writes and shows them. */

const bootstrap = /^Bootstrap/
const routing = /^Routing\.Type/
const announcing = /announces/
const listening = /^Addresses\.Swarm/
const mdns = /MDNS/
/** The README's, and what a refusal says. */
const makePrivate = [['bootstrap', 'rm', '--all'], ['config', 'Routing.Type', 'none'], ['config', '--json', 'Provide.Enabled', 'false']]
const deaf = [['config', '--json', 'Bootstrap', '[]'], ['config', '--json', 'Addresses.Swarm', '[]'],
  ['config', '--json', 'Discovery.MDNS.Enabled', 'false']]

interface Case { profiles?: string, commands?: string[][], swarmKey?: boolean, exposures: RegExp[] }

const cases: Record<string, Case> = {
  'as it comes': { exposures: [bootstrap, routing, announcing, listening, mdns] },
  'server profile': { profiles: 'server', exposures: [bootstrap, routing, announcing, listening] },
  'lowpower profile': { profiles: 'lowpower', exposures: [bootstrap, routing, announcing, listening, mdns] },
  'autoconf off: it knows nobody, and listens': { profiles: 'autoconf-off', exposures: [routing, announcing, listening, mdns] },
  'announce-off profile': { profiles: 'announce-off', exposures: [bootstrap, routing, listening, mdns] },
  'test profile': { profiles: 'test', exposures: [routing, announcing, listening] },
  'routing none alone': { commands: [['config', 'Routing.Type', 'none']], exposures: [bootstrap, announcing, listening, mdns] },
  'a swarm key, which no document shows': { swarmKey: true, exposures: [bootstrap, routing, announcing, listening, mdns] },
  'made private': { commands: makePrivate, exposures: [] },
  'server profile, made private': { profiles: 'server', commands: makePrivate, exposures: [] },
  'made private, but for the bootstrap list': { commands: makePrivate.slice(1), exposures: [bootstrap] },
  'made private, but for announcing': { commands: makePrivate.slice(0, 2), exposures: [announcing, listening, mdns] },
  'nobody can reach it': { commands: deaf, exposures: [] },
  'nobody can reach it, but for a peer': {
    commands: [
      ...deaf, ['config', '--json', 'Peering.Peers', '[{"ID": "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5", "Addrs": []}]'],
    ], exposures: [routing, announcing, /^Peering\.Peers/]
  },
}

t.test('what of its own documents makes a node public', { ...needs('kubo'), jobs: 4 }, async (t) => {
  for (const [what, { profiles, commands = [], swarmKey = false, exposures }] of Object.entries(cases)) {
    t.test(what, { buffered: true }, async (t) => {
      const repo = t.testdir()
      await runKubo(repo, ['init', ...(profiles === undefined ? [] : [`--profile=${profiles}`])])
      if (swarmKey) await writeFile(join(repo, 'swarm.key'), `/key/swarm/psk/1.0.0/\n/base16/\n${'0'.repeat(64)}\n`)
      for (const command of commands) await runKubo(repo, command)
      const found = findKuboExposures(JSON.parse(await runKubo(repo, ['config', 'show'])))
      t.equal(found.length, exposures.length, found.join('; '))
      for (const [i, exposure] of exposures.entries()) t.match(found[i], exposure)
    })
  }
})
