import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ended, eventually, givenTypes } from '@fhir-bulk-export/core/testing/database'
import { findFreePort } from '@fhir-bulk-export/stack/ports'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import type { Api, Process, System } from '../src/system.ts'
import { ask, kickOff } from './fixtures/http.ts'
import { readDeclared, readMetricNames, readSamples, type Sample } from './fixtures/promql.ts'
import { openEmbedded } from './fixtures/service.ts'

const folder = new URL('../../../docker/monitoring/', import.meta.url)
interface Expression { expr: string }
const alerts: { groups: Array<{ rules: Expression[] }> } = parse(await readFile(new URL('alerts.yaml', folder), 'utf8'))
const dashboard: { panels: Array<{ targets?: Expression[] }> } = JSON.parse(await readFile(new URL('dashboard.json', folder), 'utf8'))
const expressions = [
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m'))),
]
const hasPromtool = await promisify(execFile)('promtool', ['--version']).then(() => true, () => false)
const patients = 5

/** In no alert and in no panel. */
const unseen = new Set<string>([])

interface Watched { system: System, api: Api, worker: Process, scrape: Record<'api' | 'worker', (path?: string) => Promise<Response>> }

/** API and worker, each with its metrics. */
async function openWatched (t: Test): Promise<Watched> {
  const { system } = await openEmbedded(t, patients)
  const ports = { api: await findFreePort(), worker: await findFreePort() }
  const [api, worker] = await Promise.all([
    system.startApi({ METRICS_PORT: String(ports.api), METRICS_HOST: '127.0.0.1' }),
    system.startWorker({ METRICS_PORT: String(ports.worker), METRICS_HOST: '127.0.0.1' }),
  ])
  const from = (port: number) => async (path = '/metrics') => await fetch(`http://127.0.0.1:${port}${path}`)
  return { system, api, worker, scrape: { api: from(ports.api), worker: from(ports.worker) } }
}

function sumOf (samples: Sample[], name: string, labels: Record<string, string> = {}): number {
  const isMeant = (sample: Sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  const found = samples.filter((sample) => sample.name === `fhir_bulk_export_${name}` && isMeant(sample))
  return found.reduce((sum, { value }) => sum + value, 0)
}

/** Scrapes until the queue, which has a second, has told its figures. `failures`: how often it had not. */
async function scrapeWhole (scrape: () => Promise<Response>): Promise<{ text: string, failures: number }> {
  let failures = 0
  const whole = await eventually(async () => {
    const answer = await (await scrape()).text()
    const isWhole = readSamples(answer).some(({ name }) => name === 'fhir_bulk_export_queue_jobs')
    if (!isWhole) failures++
    return isWhole && answer
  })
  return { text: whole, failures }
}

/** What callers and rows bring along, each unlike anything else. */
const secrets = {
  family: 'Zwetschgenkuchen',
  subject: 'subject-of-a-token',
  patient: 'patient-of-a-token',
  parameter: 'secret-parameter',
  requestId: 'request-id-of-a-proxy',
}

t.test('metrics say what happened, and nothing of callers and patients; what is drawn and alerted on is there', async (t) => {
  const { system, api, worker, scrape } = await openWatched(t)
  await sql`UPDATE source.patients SET name = ${JSON.stringify([{ family: secrets.family }])}::jsonb`.execute(system.db)
  const claims = { sub: secrets.subject, role: 'ADMIN' }
  const id = await kickOff(api, { claims, headers: { 'x-request-id': secrets.requestId } }, `?_type=${givenTypes.join()}`)
  t.match(await ended(system, id), { status: 'completed' })
  const file = await ask(api, `/$export-file/${id}/Patient.1.ndjson`, { claims })
  t.match(file, { status: 200, text: secrets.family })
  await kickOff(api, { claims: { role: 'PATIENT', patient_id: secrets.patient } }, '?_type=Patient')
  for (const [path, options, status] of [
    [`/Patient/$export?_type=Patient&${secrets.parameter}=1`, { claims }, 400],
    [`/Patient/$export?_type=${secrets.parameter}`, { claims }, 400],
    [`/${secrets.parameter}`, { claims, method: 'PROPFIND' }, 404],
    ['/$export', { claims: { role: 'PATIENT', patient_id: secrets.patient } }, 403],
    ['/metadata', { method: 'PUT' }, 405],
    ['/$export', { claims: { sub: secrets.subject, exp: 1 } }, 401],
  ] as const) t.equal((await ask(api, path, options)).status, status, path)

  const logs = { api, worker }
  const isTold = ({ lines }: Process, message: string, of = '') => lines.some((line) => line.includes(of) && line.includes(message))
  await eventually(async () => isTold(worker, 'attempt ended', id) && isTold(api, 'download ended', id) && isTold(worker, 'cleanup done'))
  await eventually(async () => (await scrape.worker('/readyz')).status === 200) // it has opened the queue
  const scrapes = { api: await scrapeWhole(scrape.api), worker: await scrapeWhole(scrape.worker) }
  const texts = { api: scrapes.api.text, worker: scrapes.worker.text }
  const samples = { api: readSamples(texts.api), worker: readSamples(texts.worker) }

  await t.test('each has its own figures', async (t) => {
    t.equal(sumOf(samples.api, 'accepted_exports_total', { level: 'patient' }), 2)
    t.equal(sumOf(samples.api, 'download_duration_seconds_count', { ending: 'whole' }), 1)
    t.equal(sumOf(samples.api, 'download_bytes_total'), Buffer.byteLength(file.text))
    t.equal(sumOf(samples.api, 'refusals_total', { status: '400', code: 'UNSUPPORTED_PARAMETER' }), 2)
    for (const status of ['401', '403', '404', '405']) t.equal(sumOf(samples.api, 'refusals_total', { status }), 1, status)
    const route = '/fhir/r4/$export-file/:jobId/:fileName'
    t.equal(sumOf(samples.api, 'http_request_duration_seconds_count', { route, status: '200' }), 1)
    t.ok(sumOf(samples.worker, 'attempt_duration_seconds_count', { ending: 'done' }) >= 1)
    for (const type of givenTypes) t.ok(sumOf(samples.worker, 'resources_total', { list: 'output', type }) >= patients, type)
    t.ok(sumOf(samples.worker, 'file_bytes_total', { type: 'Patient' }) >= Buffer.byteLength(file.text))
    t.ok(sumOf(samples.worker, 'store_call_duration_seconds_count', { operation: 'put' }) >= givenTypes.length, 'calls of the threads, too')
    t.ok(sumOf(samples.worker, 'cleanup_last_success_timestamp_seconds') > 0)
    for (const name of ['api', 'worker'] as const) {
      const own = samples[name]
      t.ok(sumOf(own, 'exports', { status: 'completed' }) >= 1)
      t.ok(sumOf(own, 'files', { state: 'published' }) >= givenTypes.length)
      t.equal(sumOf(own, 'workers'), 1)
      t.equal(sumOf(own, 'collect_failures_total'), scrapes[name].failures)
      t.ok(own.some(({ name }) => name === 'nodejs_eventloop_lag_p99_seconds'))
    }
    t.strictSame([...new Set(samples.worker.filter(({ name }) => name.endsWith('pool_waiting')).map(({ labels }) => labels.pool))].sort(),
      ['fhir-bulk-export-lease', 'fhir-bulk-export-snapshot', 'fhir-bulk-export-worker'])
  })

  await t.test('no label and no line has what callers and rows bring along', async (t) => {
    const ofLogs = Object.entries(logs).map(([name, { lines }]) => [`log of ${name}`, lines.join('\n')] as const)
    for (const [where, text] of [...Object.entries(texts), ...ofLogs]) {
      for (const [what, secret] of Object.entries(secrets)) {
        if (what === 'requestId' && where === 'log of api') t.match(text, secret, 'the id of a request is for the log')
        else t.notMatch(text, secret, `${what} in ${where}`)
      }
      t.notMatch(text, /eyJ[\w-]{10}/, `a token in ${where}`)
    }
    const labels = Object.values(samples).flat().flatMap(({ labels }) => Object.entries(labels))
    t.notOk(labels.some(([, value]) => /[0-9a-f]{8}-[0-9a-f]{4}-/.test(value)), 'no label has an id')
    const ours = Object.values(samples).flat().filter(({ name }) => name.startsWith('fhir_')).flatMap(({ labels }) => Object.keys(labels))
    const bounded = ['code', 'ending', 'le', 'level', 'list', 'method', 'of', 'operation', 'pool', 'route', 'state', 'status', 'type']
    t.strictSame([...new Set(ours)].filter((label) => !bounded.includes(label)), [])
  })

  await t.test('every metric of the alerts and of the dashboard is there', async (t) => {
    const declared = new Set([...readDeclared(texts.api), ...readDeclared(texts.worker), 'up']) // that one is Prometheus's own
    for (const expression of expressions) {
      const names = readMetricNames(expression)
      t.ok(names.length > 0, expression)
      t.strictSame(names.filter((name) => !declared.has(name)), [], expression)
    }
    const used = new Set(expressions.flatMap(readMetricNames))
    const ours = [...declared].filter((name) => name.startsWith('fhir_bulk_export_') && !/_(sum|bucket)$/.test(name))
    t.strictSame(ours.filter((name) => !used.has(name) && !unseen.has(name)), [], 'and what there is can be seen')
  })

  await t.test('promtool finds nothing, and would', {
    skip: !hasPromtool && 'there is no promtool: the parser has read the rules',
  }, async (t) => {
    const rules = fileURLToPath(new URL('alerts.yaml', folder))
    await promisify(execFile)('promtool', ['check', 'rules', '--lint-fatal', rules])
    const ours = (text: string) => text.replaceAll(/^.*\b(nodejs|process)_.*\n/gm, '')
    for (const [process, text] of Object.entries(texts)) t.equal(await lintMetrics(ours(text)), '', process)
    t.match(await lintMetrics('# TYPE x counter\nx 1\n'), /no help text/)
  })

  await t.test('each refused request says why in its line, which has the id that its answer has', async (t) => {
    const refused = api.lines.map((line) => JSON.parse(line)).filter(({ status }) => status >= 400)
    for (const line of refused) t.match(line, { code: /^[A-Z_]+$/, reason: /\w{3}/, reqId: /^[\w-]{8,64}$/ })
    t.match(refused.find(({ status }) => status === 401), { cause: /EXPIRED$/ })
    const answer = await ask(api, '/$export-status/x', { headers: { 'x-request-id': 'abc.def.ghi' } })
    t.match(answer.headers['x-request-id'], /^[0-9a-f-]{36}$/, 'what looks like a token is not taken over')
  })

  await t.test('lines of worker and download have sizes and times', async (t) => {
    const find = (lines: string[], message: string) =>
      lines.map((line) => JSON.parse(line)).find(({ msg, exportId }) => msg === message && exportId === id)
    const bytes = Buffer.byteLength(file.text)
    t.match(find(worker.lines, 'attempt begins'), { attempt: 1, level: 'patient', types: { length: givenTypes.length } })
    t.match(find(worker.lines, 'attempt ended'),
      { ending: 'done', durationMs: Number, resources: 4 * patients, bytes: Number, stored: { Patient: { resources: patients, bytes } } })
    t.match(find(api.lines, 'download ended'), { file: 'Patient.1.ndjson', bytes, durationMs: Number, isWhole: true })
  })

  await t.test('the worker tells whether it is alive and ready, the API has that on its own port', async (t) => {
    t.match(await (await scrape.worker('/livez')).json(), { status: 'alive' })
    const ready = await eventually(async () => {
      const answer = await scrape.worker('/readyz')
      return answer.status === 200 && answer
    })
    t.match(await ready.json(), { status: 'ready' })
    t.equal((await scrape.api('/livez')).status, 404)
    t.equal((await scrape.worker('/metrics?x')).status, 404)
  })
})

async function lintMetrics (metrics: string): Promise<string> {
  const child = spawn('promtool', ['check', 'metrics'])
  child.stdin.end(metrics)
  const [output] = await Promise.all([text(child.stderr), once(child, 'exit')])
  return output.trim()
}

t.test('a process that cannot start says so in JSON, and names the variable', async (t) => {
  for (const [script, environment, expected] of [
    ['apps/api/src/server.ts', {}, /DATABASE_URL: is not set/],
    ['apps/worker/src/main.ts', { METRICS_PORT: 'x' }, /METRICS_PORT: expected a port/],
  ] as const) {
    const child = spawn(process.execPath, [fileURLToPath(new URL(`../../../${script}`, import.meta.url))], { env: environment })
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    t.match({ code, stderr }, { code: 1, stderr: '' })
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line))
    t.match(lines, [{ level: 60, code: 'CONFIG_INVALID' }])
    t.match(lines[0].problems.join('\n'), expected)
  }
})
