import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, parse } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import t from 'tap'
import { copyRows } from '../../src/copy-rows.ts'
import { downloadChecked } from '../../src/download.ts'
import { awaitManifest, kickOff } from '../../src/export-client.ts'
import { writeFiles } from '../../src/generate/write-files.ts'
import { startKubo } from '../../src/kubo/index.ts'
import { getServerUrl, needs } from '../../src/optional-servers.ts'
import { findFreePort } from '../../src/ports.ts'
import { startPostgres } from '../../src/postgres.ts'
import { execute, withDatabase } from '../../src/sql.ts'
import { inRepository } from '../../src/workspace.ts'
import { createBuilder } from './fixtures/build.ts'
import { environmentOf, readCompose } from './fixtures/compose.ts'
import { createEngine } from './fixtures/container.ts'
import { createContext } from './fixtures/copy.ts'
import { readStages } from './fixtures/dockerfile.ts'

/*
 * The images and the Compose file without a container engine: what the Dockerfile says is done in a scratch folder, and what it starts
 * runs there, as the user that it names, on a tree that cannot be written to, with the environment of compose.yaml. Servers are those
 * of the tests. Layers, networks, limits, capabilities and the servers' own images are outside of this.
 */

t.test('what the Dockerfile copies, installs and starts makes an export, and ends when it is told to', needs('redis', 'kubo'), async t => {
  const directory = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-replay-'))
  await chmod(directory, 0o755)
  t.teardown(async () => {
    await promisify(execFile)('chmod', ['-R', 'u+w', directory])
    await rm(directory, { recursive: true, force: true })
  })
  const read = async (path: string): Promise<string> => await readFile(inRepository(path), 'utf8')

  const { binaries, start, run } = await createEngine(directory)
  const build = createBuilder({
    stages: readStages(await read('docker/Dockerfile')),
    context: createContext(inRepository('.'), await read('docker/Dockerfile.dockerignore')),
    directory,
    path: `${binaries}:${process.env.PATH}`,
  })
  const migrate = await build('migrate')
  const images = { api: await build('api'), worker: await build('worker') }
  for (const { root } of [migrate, images.api, images.worker]) await promisify(execFile)('chmod', ['-R', 'a-w', root])

  // The servers, and a database as the container of PostgreSQL makes it.
  const [postgres, ipfs, port] = await Promise.all([startPostgres({ durable: false }), startKubo({ repo: join(directory, 'ipfs') }), findFreePort()])
  t.teardown(postgres.stop)
  t.teardown(ipfs.stop)
  const redis = withDatabase(getServerUrl('redis'), '9')
  t.teardown(async () => { await forgetQueue(redis) })
  const variables = { JWT_SECRET: 'j'.repeat(40), POSTGRES_PASSWORD: 'p', DATABASE_PASSWORD: 'd', PUBLIC_URL: `http://localhost:${port}` }
  for (const statement of readInitStatements(await read('docker/postgres-init.sql'), variables.DATABASE_PASSWORD)) await execute(postgres.url, statement)

  const { services } = await readCompose()
  const environment = (name: string): Record<string, string> => {
    const service = services[name]
    if (service === undefined) throw new Error(`there is no service ${name}`)
    const hosts = { 'postgres:5432': new URL(postgres.url).host, 'redis://redis:6379': redis, 'http://kubo:5001': ipfs.url }
    const text = Object.entries(hosts).reduce((json, [host, ours]) => json.replaceAll(host, ours), JSON.stringify(environmentOf(service, variables)))
    return { ...JSON.parse(text), ...(name === 'api' ? { PORT: String(port) } : {}) }
  }

  t.match(await run(migrate, environment('migrate'), [...migrate.entrypoint, '--source']), [/^service: .*BulkExport/, /^source: /])
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
  const [, ...readiness] = services.api?.healthcheck?.test ?? []
  await run(images.api, environment('api'), readiness.map(argument => argument.replace(':3000', `:${port}`)))
  await t.rejects(run(images.worker, {}, ['node', '--eval', 'fs.writeFileSync("apps/worker/src/new.ts", "")']), { message: /EACCES|EROFS/ })

  const token = await printToken()
  const { signal } = new AbortController()
  const statusUrl = await kickOff(`${variables.PUBLIC_URL}/fhir/r4/$export`, { token, signal })
  const { output, error = [] } = await awaitManifest(statusUrl, () => {}, { token, signal })
  const { patient_group_members: _members, ...expected } = Object.fromEntries(Object.entries(generated).map(([file, count]) => [toType(parse(file).name), count]))
  t.strictSame(error, [])
  t.strictSame(Object.fromEntries(output.map(({ type, count }) => [type, count])), expected)
  const files = join(directory, 'files')
  await mkdir(files)
  for (const item of output) await downloadChecked(item, files, { token, signal })
  t.match((await run(images.worker, environment('worker'), ['node', 'packages/core/src/cli/verify.ts', statusUrl.split('/').pop() ?? ''])).at(-1), /all as published/)

  for (const service of [worker, api]) {
    await service.stop()
    t.equal((await service.ended).how, 'exit code 0', service.lastLines().join('\n'))
  }

  /** By the line of the README. */
  async function printToken (): Promise<string> {
    const [, program] = /exec -w \/app\/apps\/api api node --input-type=module --eval '([^']+)'/.exec(await read('README.md')) ?? []
    if (program === undefined) throw new Error('the README does not say how to make a token')
    const inApi = { ...images.api, workingDirectory: '/app/apps/api' }
    return (await run(inApi, environment('api'), ['node', '--input-type=module', '--eval', program])).join('')
  }
})

/** Rows come back as resources of a type. */
const typesOf = new Map([['patients', 'Patient'], ['medical_records', 'DocumentReference'], ['consents', 'Consent'], ['provenance_events', 'Provenance'], ['patient_groups', 'Group']])

function toType (name: string): string {
  return typesOf.get(name) ?? name
}

/** What psql makes of the file: `\getenv` sets a variable, and `:'name'` is its value. */
function readInitStatements (text: string, password: string): string[] {
  const sql = text.replaceAll(/^--.*$/gm, '').replace('\\getenv password DATABASE_PASSWORD', '').replaceAll(":'password'", `'${password}'`)
  return sql.split(';').map(statement => statement.trim()).filter(statement => statement !== '')
}

/** As an engine does, whose interval is the time that a check takes. */
async function untilHealthy (check: () => Promise<unknown>): Promise<void> {
  const giveUp = AbortSignal.timeout(30_000)
  while (!await check().then(() => true, error => giveUp.aborted ? Promise.reject(error) : false));
}

async function forgetQueue (url: string): Promise<void> {
  const client = new Redis(url)
  const keys = await client.keys('bull:fhir-bulk-export:*')
  if (keys.length > 0) await client.del(...keys)
  await client.quit()
}
