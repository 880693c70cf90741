import { execFile } from 'node:child_process'
import { mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findKubo, runKubo } from '@fhir-bulk-export/stack/kubo'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { createKuboStore } from '../../../src/store/kubo/kubo.ts'
import { collect, makeBytes, makeFolder, putBytes, startNode } from '../fixtures/stores.ts'

const script = fileURLToPath(new URL('../../../../../docker/kubo-init.sh', import.meta.url))

t.test('the container of Kubo makes of a node as it comes one that the worker takes for private, with a swarm key of its own', needs('kubo'), async (t) => {
  const folder = await makeFolder(t)
  const [bin, repo] = [join(folder, 'bin'), join(folder, 'repo')]
  await mkdir(bin)
  await symlink(await findKubo() ?? '', join(bin, 'ipfs'))
  await runKubo(repo, ['init'])
  const prepare = async () => { await promisify(execFile)('sh', [script], { env: { PATH: `${bin}:${process.env.PATH}`, IPFS_PATH: repo } }) }

  await prepare()
  const text = await readFile(join(repo, 'config'), 'utf8')
  t.notMatch(text, /"auto"/, 'with a swarm key, Kubo does not start with one of these')
  t.match(JSON.parse(text), { Addresses: { API: '/ip4/0.0.0.0/tcp/5001', Gateway: '/ip4/127.0.0.1/tcp/8080', Swarm: ['/ip4/127.0.0.1/tcp/4001'] } })
  const key = await readFile(join(repo, 'swarm.key'), 'utf8')
  t.match(key, /^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n$/)
  t.equal((await stat(join(repo, 'swarm.key'))).mode & 0o777, 0o600)
  await prepare()
  t.equal(await readFile(join(repo, 'swarm.key'), 'utf8'), key, 'made once')

  // Its ports are the container's; here they may be somebody's.
  for (const name of ['API', 'Gateway']) await runKubo(repo, ['config', `Addresses.${name}`, '/ip4/127.0.0.1/tcp/0'])
  const store = createKuboStore({ url: (await startNode(t, repo)).url })
  t.strictSame(await store.findExposures(), [])
  t.ok(makeBytes(10).equals(await collect(store.read(await putBytes(store, makeBytes(10))))))
})
