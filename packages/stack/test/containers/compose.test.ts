import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DCLinter } from 'dclint'
import t from 'tap'
import { needs } from '../../src/optional-servers.ts'
import { inRepository } from '../../src/workspace.ts'
import { commandOf, composeFile, environmentOf, givenSecrets, interpolate, readCompose } from './fixtures/compose.ts'

const { services, networks } = await readCompose()
const secrets = givenSecrets()
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined)
const theirs = Object.entries(services).filter(([, { build }]) => build === undefined)

/** Of dclint's results: its types are lost under nodenext. */
interface LintResult { messages: Array<{ rule: string, line: number, message: string }> }

/** Validates against the schema of the Compose Specification, and has rules of its own; those about the order of things are not ours. */
function lint (file: string): string[] {
  const orders = [
    'service-keys-order', 'services-alphabetical-order', 'service-dependencies-alphabetical-order', 'top-level-properties-order',
    'no-quotes-in-volumes',
  ]
  const linter = new DCLinter({
    rules: Object.fromEntries(orders.map(rule => [rule, 0 as const])), quiet: false, debug: false, exclude: [],
  })
  const results: LintResult[] = linter.lintFiles([file], false)
  return results.flatMap(({ messages }) => messages.map(({ rule, line, message }) => `${line}: ${rule}: ${message}`))
}

t.test('compose.yaml follows the published schema, which would find what does not', async t => {
  t.strictSame(lint(composeFile), [])
  const text = await readFile(composeFile, 'utf8')
  const directory = t.testdir({ 'compose.yaml': text.replace('read_only: true', 'read_only: [1]').replace('shm_size:', 'shm_sized:') })
  t.match(lint(join(directory, 'compose.yaml')), [/invalid-schema/])
})

t.test("the README's override for a PostgreSQL of one's own follows it as well", async t => {
  const [, override = ''] = /```yaml\n(.*?)```/s.exec(await readFile(inRepository('docker/README.md'), 'utf8')) ?? []
  t.match(override, /DATABASE_URL/)
  const found = lint(join(t.testdir({ 'compose.override.yaml': override }), 'compose.override.yaml'))
  t.strictSame(found.filter(line => !line.includes('require-project-name-field')), [])
})

t.test('nothing is published but the API, on this machine alone', async t => {
  for (const [name, { ports = [] }] of Object.entries(services)) {
    t.equal(ports.length, name === 'api' ? 1 : 0, name)
    for (const port of ports) t.match(port, /^127\.0\.0\.1:/)
  }
})

t.test('only api and worker are in a network with Kubo and Redis, and only the API has a way out', async t => {
  const members = (network: string): string[] => Object.entries(services).filter(
    ([, service]) => service.networks?.includes(network)
  ).map(([name]) => name).sort()
  t.strictSame(Object.fromEntries(Object.keys(networks).map(network => [network, members(network)])), {
    front: ['api'],
    database: ['api', 'migrate', 'postgres', 'worker'],
    queue: ['api', 'redis', 'worker'],
    ipfs: ['api', 'kubo', 'worker'],
  })
  t.strictSame(Object.keys(networks).filter(network => networks[network]?.internal !== true), ['front'])
  for (const [name, service] of Object.entries(services)) t.ok(service.networks, `${name} is not in the default network`)
})

t.test('secrets have no default', async t => {
  for (const name of Object.keys(secrets)) {
    const others: Record<string, string> = { ...secrets, [name]: '' }
    const start = (): unknown => Object.values(services).map(service => [environmentOf(service, others), commandOf(service, others)])
    t.throws(start, { message: `${name} is required` })
  }
})

t.test("a line of the README fills in each secret at random, for its owner's eyes, and once", needs('openssl'), async t => {
  const [line] = /^\(set -C; .*$/m.exec(await readFile(inRepository('docker/README.md'), 'utf8')) ?? []
  const directory = t.testdir({ docker: { '.env.example': await readFile(inRepository('docker/.env.example'), 'utf8') } })
  const run = async (): Promise<unknown> => await promisify(execFile)('sh', ['-c', line ?? ''], { cwd: directory })
  await run()
  const made = join(directory, 'docker/.env')
  const filled = [...(await readFile(made, 'utf8')).matchAll(/^(\w+)=([0-9a-f]{64})$/gm)]
  t.strictSame(filled.map(([, name]) => name).sort(), Object.keys(secrets).sort())
  t.equal(new Set(filled.map(([, , secret]) => secret)).size, filled.length)
  t.equal((await stat(made)).mode & 0o777, 0o600)
  await t.rejects(run(), 'what is in use is not replaced')
})

t.test('each service has a database role, a token or a password of its own, and no other one\'s', async t => {
  const own: Record<string, string[]> = {
    postgres: ['POSTGRES_PASSWORD', 'DATABASE_PASSWORD', 'API_DATABASE_PASSWORD', 'WORKER_DATABASE_PASSWORD'], // it makes the roles
    redis: ['REDIS_PASSWORD'],
    kubo: ['KUBO_API_TOKEN', 'KUBO_WORKER_TOKEN'],
    migrate: ['DATABASE_PASSWORD'],
    api: ['JWT_SECRET', 'API_DATABASE_PASSWORD', 'REDIS_PASSWORD', 'KUBO_API_TOKEN'],
    worker: ['WORKER_DATABASE_PASSWORD', 'REDIS_PASSWORD', 'KUBO_WORKER_TOKEN'],
  }
  for (const [name, service] of Object.entries(services)) {
    const given = JSON.stringify([environmentOf(service, secrets), commandOf(service, secrets)])
    t.strictSame(Object.entries(secrets).filter(([, secret]) => given.includes(secret)).map(([secret]) => secret).sort(), own[name]?.sort(),
      name)
  }
})

t.test('no container has a capability, or all of the memory and processes of its host', async t => {
  for (const [name, service] of Object.entries(services)) {
    t.match(service,
      {
        cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'],
        deploy: { resources: { limits: { memory: /^\d+[MG]$/, pids: Number } } },
      },
      name)
    t.equal(service.cap_add ?? service.privileged, undefined, name)
  }
})

t.test('our containers can write nothing, are nobody, and have time to end', async t => {
  t.strictSame(ours.map(([name]) => name).sort(), ['api', 'migrate', 'worker'])
  for (const [name, service] of ours) {
    t.match(service, { build: { context: '..', dockerfile: 'docker/Dockerfile', target: name }, read_only: true, stop_grace_period: '40s' },
      name)
  }
})

t.test('the servers are exact versions, never root, and say when they are ready', async t => {
  for (const [name, { image = '', healthcheck, restart, user }] of theirs) {
    t.equal(user, { postgres: 'postgres', redis: 'redis', kubo: 'ipfs' }[name])
    t.match(image, /:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/, name)
    t.ok(healthcheck, name)
    t.equal(restart, 'unless-stopped')
  }
  const { depends_on: needs } = services.worker ?? {}
  t.strictSame(services.api?.depends_on, needs)
  t.strictSame(Object.keys(needs ?? {}).sort(), [...theirs.map(([name]) => name), 'migrate'].sort())
  t.equal(needs?.migrate?.condition, 'service_completed_successfully')
  for (const [name] of theirs) t.equal(needs?.[name]?.condition, 'service_healthy')
})

t.test("every variable of the README's table can be set", async t => {
  const readme = await readFile(inRepository('docker/README.md'), 'utf8')
  const rows = [...readme.matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) \| (all|[a-z, ]+) \| [^|]* \| /gm)]
  t.ok(rows.length > 20)
  // The image decides where the API listens. The node is private, so there is nothing to allow.
  const settled = ['HOST', 'PORT', 'IPFS_ALLOW_PUBLIC']
  for (const name of ['api', 'worker']) {
    const used = rows.filter(
      ([, , by]) => by === 'all' || by?.split(', ').includes(name)
    ).flatMap(([, names = '']) => names.replaceAll('`', '').split(', '))
    t.strictSame(Object.keys(services[name]?.environment ?? {}).sort(), used.filter(variable => !settled.includes(variable)).sort(), name)
  }
})

t.test('variables are replaced as Compose does it', async t => {
  t.equal(interpolate('a-${B:?}-${C:-c}-${D:-d}', { B: 'b', D: 'x' }), 'a-b-c-x') // eslint-disable-line no-template-curly-in-string
  for (const wrong of ['$B', '${B}', '${B?}']) { // eslint-disable-line no-template-curly-in-string
    t.throws(() => interpolate(wrong, { B: 'b' }), { message: /not understood/ })
  }
})
