import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { givenPatients } from '@fhir-bulk-export/core/testing/database'
import { startWorker } from '@fhir-bulk-export/stack/commands'
import { Ajv2020 } from 'ajv/dist/2020.js'
import openapiTypescript, { astToString } from 'openapi-typescript'
import t from 'tap'
import ts from 'typescript'
import { listen } from '../fixtures/client-service.ts'
import { admin } from '../fixtures/exports.ts'
import { signToken } from '../fixtures/token.ts'

/** What a developer would write who has the document alone. */
const program = `
import createClient from 'openapi-fetch'
import type { components, paths } from './paths.ts'

interface Exported { manifest: components['schemas']['Manifest'], lines: string[] }

export async function runExport (baseUrl: string, token: string): Promise<Exported> {
  const client = createClient<paths>({ baseUrl, headers: { Authorization: \`Bearer \${token}\` } })
  const accepted = await client.GET('/fhir/r4/Patient/$export', {
    params: { query: { _type: 'Patient' }, header: { Prefer: 'respond-async', Accept: 'application/fhir+json' } },
  })
  if (accepted.error !== undefined) throw new Error(accepted.error.issue[0]?.diagnostics)
  const jobId = accepted.response.headers.get('content-location')?.split('/').at(-1) ?? ''
  for (;;) {
    const { data, error, response } = await client.GET('/fhir/r4/$export-status/{jobId}', { params: { path: { jobId } } })
    if (error !== undefined) throw new Error(error.issue[0]?.diagnostics)
    if ('output' in data) {
      const [file] = data.output
      if (file === undefined) throw new Error('the export is empty')
      const fileName = file.url.split('/').at(-1) ?? ''
      const path = { jobId, fileName }
      const { data: content } = await client.GET('/fhir/r4/$export-file/{jobId}/{fileName}', { params: { path }, parseAs: 'text' })
      return { manifest: data, lines: content?.trimEnd().split('\\n') ?? [] }
    }
    if ('issue' in data) throw new Error(data.issue[0]?.diagnostics)
    const percent: number = data.progress
    if (percent < 0) throw new Error('no percentage')
    await new Promise((resolve) => setTimeout(resolve, 1_000 * Number(response.headers.get('retry-after'))))
  }
}
`

type RunExport = (baseUrl: string, token: string) => Promise<{ manifest: object, lines: string[] }>

t.test('a client that is generated from the document type-checks, and runs an export', async (t) => {
  const api = await listen(t)
  const origin = new URL(api.base).origin
  await givenPatients(api.db, 3)
  const worker = await startWorker({
    env: {
      DATABASE_URL: api.config.DATABASE_URL,
      QUEUE_URL: api.config.QUEUE_URL,
      IPFS_URL: pathToFileURL(t.testdirName).href,
      PUBLIC_URL: origin,
    },
  })
  t.teardown(worker.stop)

  const folder = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-client-'))
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'))
  await writeFile(`${folder}/paths.ts`, astToString(await openapiTypescript(new URL(`${origin}/docs/json`))))
  await writeFile(`${folder}/client.ts`, program)
  await writeFile(`${folder}/package.json`, '{"type":"module"}')
  const wrong = program.replace('data.progress', 'data.percent').replace('_type:', '_typ:').replace('$export-status/', '$status/')
  await writeFile(`${folder}/wrong.ts`, wrong)
  t.strictSame(check(`${folder}/client.ts`), [])
  t.ok(check(`${folder}/wrong.ts`).length >= 3, 'a wrong address, parameter or property does not')

  const { runExport } = await import(`${folder}/client.ts`) as { runExport: RunExport }
  const { manifest, lines } = await runExport(origin, signToken(admin))
  t.match(manifest, { output: [{ type: 'Patient', count: 3 }] })
  t.equal(lines.length, 3)

  const { components } = await (await fetch(`${origin}/docs/json`)).json() as { components: object }
  const isManifest = new Ajv2020({ validateFormats: false, strict: false }).compile({ components, $ref: '#/components/schemas/Manifest' })
  t.ok(isManifest(manifest), JSON.stringify(isManifest.errors))
})

function check (file: string): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
  }
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([file], options))
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}
