import { execFile } from 'node:child_process'
import { mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findKubo, initKubo, runKubo } from '@fhir-bulk-export/stack/kubo'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { createKuboStore } from '../../../src/store/kubo/kubo-store.ts'
import { collect, makeBytes, makeFolder, putBytes, startNode, toArray } from '../fixtures/stores.ts'

const script = fileURLToPath(new URL('../../../../../docker/kubo-init.sh', import.meta.url))

t.test('the container of Kubo makes a node private as the worker sees it, with a swarm key of its own', needs('kubo'), async (t) => {
  const folder = await makeFolder(t)
  const [bin, repo] = [join(folder, 'bin'), join(folder, 'repo')]
  await mkdir(bin)
  await symlink(await findKubo() ?? '', join(bin, 'ipfs'))
  await runKubo(repo, ['init'])
  const tokens = { KUBO_API_TOKEN: 'of-api', KUBO_WORKER_TOKEN: 'of-worker' }
  const prepare = async (environment: Record<string, string> = tokens) => {
    await promisify(execFile)('sh', [script], { env: { PATH: `${bin}:${process.env.PATH}`, IPFS_PATH: repo, ...environment } })
  }

  for (const missing of Object.keys(tokens)) await t.rejects(prepare({ ...tokens, [missing]: '' }), { message: new RegExp(missing) })
  await prepare()
  const text = await readFile(join(repo, 'config'), 'utf8')
  t.notMatch(text, /"auto"/, 'with a swarm key, Kubo does not start with one of these')
  t.match(JSON.parse(text), {
    Addresses: { API: '/ip4/0.0.0.0/tcp/5001', Gateway: '/ip4/127.0.0.1/tcp/8080', Swarm: ['/ip4/127.0.0.1/tcp/4001'] }
  })
  const key = await readFile(join(repo, 'swarm.key'), 'utf8')
  t.match(key, /^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n$/)
  t.equal((await stat(join(repo, 'swarm.key'))).mode & 0o777, 0o600)
  await prepare()
  t.equal(await readFile(join(repo, 'swarm.key'), 'utf8'), key, 'made once')

  // Its ports are the container's; here they may be somebody's.
  for (const name of ['API', 'Gateway']) await runKubo(repo, ['config', `Addresses.${name}`, '/ip4/127.0.0.1/tcp/0'])
  const { url } = await startNode(t, repo)
  const storeOf = (authorization: string) => createKuboStore({ url: url.replace('//', `//${authorization}`) })
  const refused = { code: 'STORE_FAILED' }

  const store = storeOf('bearer:of-worker@')
  await store.ping()
  t.strictSame(await store.findExposures(), [])
  const file = await putBytes(store, makeBytes(10))
  t.ok(makeBytes(10).equals(await collect(store.read(file))))
  const listed = async () => (await toArray(store.list())).map(({ key }) => key)
  t.strictSame(await listed(), [file.key])

  const ofApi = storeOf('bearer:of-api@')
  await ofApi.ping()
  t.ok(makeBytes(10).equals(await collect(ofApi.read(file))))
  await t.rejects(putBytes(ofApi, makeBytes(10)), refused)
  await t.rejects(ofApi.drop(file), refused)
  await t.rejects(toArray(ofApi.list()), refused)
  await t.rejects(ofApi.collectGarbage(), refused)
  t.match(await ofApi.getUsage(), { used: Number, capacity: Number }, 'for the page of the operator')
  await t.rejects(store.getUsage(), refused, 'the worker needs it for nothing')
  t.match(await ofApi.findExposures(), [/api\/v0\/config\/show/])
  for (const authorization of ['', 'bearer:of-nobody@', 'of-worker:@', 'worker:of-worker@']) {
    await t.rejects(storeOf(authorization).ping(), refused, authorization)
    await t.rejects(collect(storeOf(authorization).read(file)), refused, authorization)
  }

  await store.drop(file)
  await store.collectGarbage()
  t.strictSame(await listed(), [])
})

t.test('a node asks for user and password as well', needs('kubo'), async (t) => {
  const repo = join(await makeFolder(t), 'repo')
  await initKubo(repo)
  await runKubo(repo, ['config', '--json', 'API.Authorizations',
    JSON.stringify({ me: { AuthSecret: 'basic:me:p@ss:word', AllowedPaths: ['/api/v0'] } })])
  const { host } = new URL((await startNode(t, repo)).url)
  const store = createKuboStore({ url: `http://me:p%40ss%3Aword@${host}` })
  t.ok(makeBytes(10).equals(await collect(store.read(await putBytes(store, makeBytes(10))))))
  await t.rejects(createKuboStore({ url: `http://me:other@${host}` }).ping(), { code: 'STORE_FAILED' })
})
