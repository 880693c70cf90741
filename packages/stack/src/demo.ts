import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { compareWithLoaded } from './compare-loaded.ts'
import { downloadChecked } from './client/download.ts'
import { awaitManifest, kickOff, type Manifest } from './client/export.ts'
import { findData } from './population.ts'
import { startKubo } from './kubo/index.ts'
import { findFreePort } from './ports.ts'
import { createProgressDisplay } from './progress.ts'
import { runInScope, type Scope } from './scope.ts'
import { loadData, publicUrlOf, startDatabase, startServices } from './system.ts'
import { signToken } from './tokens.ts'
import { inData } from './workspace.ts'

/*
 * `make demo`: the whole system from an empty database to files on disk. From the kick-off on this is a client that knows
 * nothing but HTTP. STORE=node: the files go to Kubo.
 */

const directory = inData('demo')
const files = join(directory, 'files')
let stepMs: number | undefined

runInScope(async scope => {
  const { signal } = scope
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  await mkdir(files, { mode: 0o700 }) // with DATA= they may be a real patient's

  say('PostgreSQL, an empty database, and data to load')
  const [databaseUrl, data] = await Promise.all([startDatabase(scope, { durable: false }), findData({ defaultPatients: 10_000, signal })])

  say(`Loading ${data}`)
  await loadData(databaseUrl, data, signal)

  say('Starting the API and a worker')
  const port = await findFreePort()
  const jwtSecret = randomBytes(48).toString('base64url')
  const ipfsUrl = process.env.STORE === 'node' ? scope.add(await startKubo({ repo: join(directory, 'store') })).url : undefined
  const services = await startServices(scope, { databaseUrl, directory, port, jwtSecret, ipfsUrl })

  const token = signToken(jwtSecret, { role: 'ADMIN', sub: 'demo' }, { lifetimeSeconds: 3_600 })
  await Promise.race([exportAll(publicUrlOf(port), { data, token }, scope), services.broken]).catch(error => {
    if (!signal.aborted) console.error([...services.worker.lastLines(), ...services.api.lastLines()].join('\n'))
    throw error
  })
  await rm(join(directory, 'store'), { recursive: true, force: true }) // twice the size of the files
  return 0
})

async function exportAll (publicUrl: string, { data, token }: { data: string, token: string }, { signal }: Scope): Promise<void> {
  const url = `${publicUrl}/fhir/r4/$export`
  say(`GET ${url}`)
  const startedMs = performance.now()
  const statusUrl = await kickOff(url, { token, signal })
  console.log(`  202, Content-Location: ${statusUrl}`)
  const display = createProgressDisplay()
  const manifest = await awaitManifest(statusUrl, display.update, { token, signal }).then(display.finish, display.fail)
  const exportSeconds = (performance.now() - startedMs) / 1_000

  say('Downloading')
  const downloadMs = performance.now()
  const items = [...manifest.output, ...manifest.deleted ?? [], ...manifest.error ?? []]
  const paths: string[] = []
  for (const item of items) {
    paths.push(await downloadChecked(item, files, { token, signal }))
    const [count, megabytes] = [String(item.count).padStart(9), toMegabytes(item.extension.fileSize).padStart(8)]
    console.log(`  ${count} ${item.type.padEnd(18)} ${megabytes} MB, count and SHA-256 as promised`)
  }
  const downloadSeconds = (performance.now() - downloadMs) / 1_000

  say('Comparing with what was loaded')
  const { equal, others, missing } = await compareWithLoaded(paths.slice(0, manifest.output.length), data)
  console.log(`  ${String(equal).padStart(9)} resources came back as they were loaded, digit by digit`)
  if (others > 0) console.log(`  ${String(others).padStart(9)} are rows of columns`)
  if (missing > 0) console.log(`  ${String(missing).padStart(9)} were not loaded, as told above`)

  say('Manifest')
  console.log(JSON.stringify(manifest, null, 2))
  endStep()
  summarize(manifest, exportSeconds, downloadSeconds)
}

function summarize ({ output }: Manifest, exportSeconds: number, downloadSeconds: number): void {
  const rows = output.reduce((sum, { count }) => sum + count, 0)
  const bytes = output.reduce((sum, { extension }) => sum + extension.fileSize, 0)
  console.log(`
${rows} resources, ${toMegabytes(bytes)} MB, all counts and SHA-256 sums right
export    ${exportSeconds.toFixed(1)} s, ${Math.round(rows / exportSeconds)} rows/s (from kick-off to manifest, asked once a second)
download  ${downloadSeconds.toFixed(1)} s
files     ${files}

What next:
  make start                  the same system, kept running, with tokens and curl lines to paste
  make demo DATA=<folder>     the same with FHIR NDJSON of your own
  apps/api/README.md          what a client can ask for
  packages/core/README.md     how to export a database that you have`)
}

/** Begins a step, which ends where the next one begins. */
function say (what: string): void {
  endStep()
  console.log(`\n> ${what}`)
  stepMs = performance.now()
}

function endStep (): void {
  if (stepMs !== undefined) console.log(`  ${((performance.now() - stepMs) / 1_000).toFixed(1)} s`)
  stepMs = undefined
}

function toMegabytes (bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
