import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, parse } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { createClientKey, getToken, keyFiles } from '../../src/client/key.ts'
import { copyRows } from '../../src/copy-rows.ts'
import { downloadChecked } from '../../src/client/download.ts'
import { awaitManifest, kickOff } from '../../src/client/export.ts'
import { writeFiles } from '../../src/generate/write-files.ts'
import { needs } from '../../src/optional-servers.ts'
import { findFreePort } from '../../src/ports.ts'
import { startPostgres } from '../../src/postgres.ts'
import { execute, withDatabase } from '../../src/sql.ts'
import { inRepository } from '../../src/workspace.ts'
import { commandOf, environmentOf, givenSecrets, readCompose, type Service } from './fixtures/compose.ts'
import { createEngine } from './fixtures/container.ts'
import { readStages } from './fixtures/dockerfile.ts'
import { prepareImage } from './fixtures/image.ts'
import { startKuboOf, startRedisOf } from './fixtures/servers.ts'

/*
 * The images and the Compose file without a container engine: what the Dockerfile installs and starts runs in a scratch folder, as nobody,
 * on a tree that cannot be written to, with command and environment of compose.yaml. Servers are those of the tests, with the secrets,
 * roles and tokens of the Compose file. Layers, networks, limits, capabilities and the servers' own images are outside of this.
 */

t.test('what the Dockerfile copies, installs and starts makes an export, and ends when it is told to', needs('redis', 'kubo'), async t => {
  const directory = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-containers-'))
  await chmod(directory, 0o755)
  t.teardown(async () => {
    await promisify(execFile)('chmod', ['-R', 'u+w', directory])
    await rm(directory, { recursive: true, force: true })
  })
  const read = async (path: string): Promise<string> => await readFile(inRepository(path), 'utf8')

  const { binaries, start, run } = await createEngine(directory)
  const stages = readStages(await read('docker/Dockerfile'))
  const prepare = async (target: string) => await prepareImage(stages, target, { directory, path: `${binaries}:${process.env.PATH}` })
  const migrate = await prepare('migrate')
  const images = { api: await prepare('api'), worker: await prepare('worker') }
  for (const { root } of [migrate, images.api, images.worker]) await promisify(execFile)('chmod', ['-R', 'a-w', root])

  // The servers, and a database as the container of PostgreSQL makes it.
  const { services } = await readCompose()
  const serviceOf = (name: string): Service => {
    const service = services[name]
    if (service === undefined) throw new Error(`there is no service ${name}`)
    return service
  }
  const port = await findFreePort()
  const metricsPort = await findFreePort()
  const variables = { ...givenSecrets(), MIGRATE_ARGS: '--source', PUBLIC_URL: `http://localhost:${port}` }
  const postgres = await startPostgres({ durable: false })
  t.teardown(postgres.stop)
  const ipfs = await startKuboOf(serviceOf('kubo'), variables, directory)
  t.teardown(ipfs.stop)
  const redis = await startRedisOf(serviceOf('redis'), variables, directory)
  t.teardown(redis.stop)
  const ofPostgres = environmentOf(serviceOf('postgres'), variables)
  for (const statement of readInitStatements(await read('docker/postgres-init.sql'), ofPostgres)) await execute(postgres.url, statement)

  const environment = (name: string): Record<string, string> => {
    const hosts = {
      'postgres:5432': new URL(postgres.url).host, 'redis:6379': `127.0.0.1:${redis.port}`, 'kubo:5001': new URL(ipfs.url).host,
    }
    const text = Object.entries(hosts).reduce((json, [host, ours]) => json.replaceAll(`@${host}`, `@${ours}`),
      JSON.stringify(environmentOf(serviceOf(name), variables)))
    return { ...JSON.parse(text), ...(name === 'api' ? { PORT: String(port) } : { METRICS_PORT: String(metricsPort) }) }
  }

  await redis.checkHealth(environment('redis'))
  await t.rejects(redis.checkHealth({}), 'without the password it is not healthy, and answers nobody')
  t.equal((await fetch(`${ipfs.url}/api/v0/id`, { method: 'POST' })).status, 403)
  const kuboCheck = serviceOf('kubo').healthcheck?.test.at(-1) ?? ''
  t.equal((await fetch(kuboCheck.replace('http://127.0.0.1:8080', ipfs.gatewayUrl))).status, 200)

  const migrated = await run(migrate, environment('migrate'), [...migrate.entrypoint, ...commandOf(serviceOf('migrate'), variables)])
  t.match(migrated, [/^service: .*BulkExport/, /^source: /, 'granted: fhir_bulk_export_api', 'granted: fhir_bulk_export_worker'])
  const data = join(directory, 'data')
  const generated = await writeFiles(data, { patients: 20, seed: 1 })
  await copyRows(withDatabase(postgres.url, 'fhir_bulk_export'), data)
  await run(migrate, environment('migrate'), ['node', 'packages/core/src/cli/load.ts', data])

  const worker = await start(images.worker, environment('worker'))
  t.teardown(worker.stop)
  const api = await start(images.api, environment('api'))
  t.teardown(api.stop)
  await untilHealthy(async () => await run(images.worker, environment('worker'), images.worker.healthcheck))
  await untilHealthy(async () => await run(images.api, environment('api'), images.api.healthcheck))
  for (const name of ['api', 'worker'] as const) {
    const [, ...readiness] = serviceOf(name).healthcheck?.test ?? []
    const probe = readiness.map(argument => argument.replace(':3000', `:${port}`))
    await untilHealthy(async () => await run(images[name], environment(name), probe))
  }
  await t.rejects(run(images.worker, {}, ['node', '--eval', 'fs.writeFileSync("apps/worker/src/new.ts", "")']), { message: /EACCES|EROFS/ })

  const token = await getTokenOfReadme()
  const { signal } = new AbortController()
  const statusUrl = await kickOff(`${variables.PUBLIC_URL}/fhir/r4/$export`, { token, signal })
  const { output, error = [] } = await awaitManifest(statusUrl, () => {}, { token, signal })
  const { patient_group_members: _members, ...expected } = Object.fromEntries(Object.entries(generated).map(([file, count]) => [
    toType(parse(file).name), count,
  ]))
  t.strictSame(error, [])
  t.strictSame(Object.fromEntries(output.map(({ type, count }) => [type, count])), expected)
  const files = join(directory, 'files')
  await mkdir(files)
  for (const item of output) await downloadChecked(item, files, { token, signal })
  t.match(
    (await run(images.worker, environment('worker'), ['node', 'packages/core/src/cli/verify.ts', statusUrl.split('/').pop() ?? ''])).at(-1),
    /all as published/
  )

  for (const service of [worker, api]) {
    await service.stop()
    t.equal((await service.ended).how, 'exit code 0', service.lastLines().join('\n'))
    t.strictSame(service.lastLines().filter(line => /"level":[56]0/.test(line)), [], 'no role or token was refused')
  }

  /** Of a client that is registered by the line of the README. */
  async function getTokenOfReadme (): Promise<string> {
    const [, line] =
      /--entrypoint node migrate (packages\/core\/src\/cli\/client\.ts add lab .*) < /.exec(await read('docker/README.md')) ?? []
    if (line === undefined) throw new Error('the README does not say how to register a client')
    await createClientKey(join(directory, 'lab'))
    const { keyFile, jwksFile } = keyFiles(join(directory, 'lab'))
    const args = line.replaceAll("'", '').replace('--jwks-file -', `--jwks-file ${jwksFile}`).split(' ')
    t.strictSame(await run(migrate, environment('migrate'), ['node', ...args]), ['lab is registered'])
    return await getToken({ clientId: 'lab', keyFile, tokenUrl: `${variables.PUBLIC_URL}/auth/token`, scope: 'system/*.rs' })
  }
})

/** Rows come back as resources of a type. */
const typesOf = new Map([
  ['patients', 'Patient'], ['medical_records', 'DocumentReference'], ['consents', 'Consent'], ['provenance_events', 'Provenance'],
  ['patient_groups', 'Group'],
])

function toType (name: string): string {
  return typesOf.get(name) ?? name
}

/** What psql makes of the file: `\getenv` sets a variable, and `:'name'` is its value. */
function readInitStatements (text: string, environment: Record<string, string>): string[] {
  const values = new Map([...text.matchAll(/^\\getenv (\w+) (\w+)$/gm)].map(
    ([, name = '', variable = '']) => [name, environment[variable]]
  ))
  const sql = text.replaceAll(/^(--|\\getenv ).*$/gm, '').replaceAll(/:'(\w+)'/g, (_, name: string) => `'${values.get(name)}'`)
  return sql.split(';').map(statement => statement.trim()).filter(statement => statement !== '')
}

/** As an engine does, whose interval is the time that a check takes. */
async function untilHealthy (check: () => Promise<unknown>): Promise<void> {
  const giveUp = AbortSignal.timeout(30_000)
  while (!await check().then(() => true, error => giveUp.aborted ? Promise.reject(error) : false));
}
