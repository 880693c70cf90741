import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { ended, eventually, givenPatients, givenTypes } from '@fhir-bulk-export/core/testing/database'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { sql } from 'kysely'
import t from 'tap'
import { openSystem } from '../src/system.ts'
import { kickOff } from './fixtures/http.ts'
import type { WrittenSpan } from './fixtures/trace-to-file.ts'

const sdk = new URL('./fixtures/trace-to-file.ts', import.meta.url).href
/** Of a caller's own trace (https://www.w3.org/TR/trace-context/). */
const traceId = '0af7651916cd43dd8448eb211c80319c'
const callerSpanId = 'b7ad6b7169203331'

t.test('an export is one trace, from the kick-off to each file, through API, queue, worker and its threads', async (t) => {
  const url = await createTestDatabase(t)
  const directory = t.testdir({ store: {} })
  const system = await openSystem(t, { databaseUrl: url, queueUrl: url, storeUrl: pathToFileURL(`${directory}/store`).href })
  await givenPatients(system.db, 3)
  const environment = { NODE_OPTIONS: `--import=${sdk}`, TRACE_FILE: `${directory}/spans` }
  const api = await system.startApi(environment)
  const find = async (ids: string[]) => await eventually(async () => {
    const spans = await readSpans(`${directory}/spans`)
    const attempts = spans.filter(({ name }) => name === 'attempt').map(({ attributes }) => attributes['fhir_bulk_export.export.id'])
    return ids.every((id) => attempts.includes(id)) && spans
  })

  const large = await kickOff(api, { headers: { traceparent: `00-${traceId}-${callerSpanId}-01` } }, `?_type=${givenTypes.join()}`)
  const own = await kickOff(api, { claims: { role: 'PATIENT', patient_id: 'p1' } }, '?_type=Patient')
  // Before there is a worker, whose reconciler would ring for one whose ring is late, and without its trace.
  await eventually(async () => (await sql`SELECT FROM bullmq.job`.execute(system.db)).rows.length === 2)
  const worker = await system.startWorker(environment)
  for (const id of [large, own]) t.match(await ended(system, id), { status: 'completed' })
  const spans = await find([large, own])

  const trace = spans.filter((span) => span.traceId === traceId)
  const only = (name: string): WrittenSpan => {
    const found = trace.filter((span) => span.name === name)
    t.equal(found.length, 1, `one ${name}`)
    return found[0] ?? t.fail(name) as never
  }
  const [kickOffSpan, job, attempt] = [only('kick-off'), only('job'), only('attempt')]
  t.match(kickOffSpan, { pid: api.pid, parentSpanId: callerSpanId, attributes: { 'fhir_bulk_export.level': 'patient' } })
  t.match(job, { pid: api.pid, parentSpanId: kickOffSpan.spanId, attributes: { 'fhir_bulk_export.export.id': large } })
  t.match(attempt, { pid: worker.pid, parentSpanId: job.spanId, attributes: { 'fhir_bulk_export.ending': 'done' } })
  const parts = trace.filter(({ name }) => name === 'part')
  t.ok(parts.length > 0 && parts.every(({ parentSpanId }) => parentSpanId === attempt.spanId), 'parts, of threads')
  const files = trace.filter(({ name }) => name === 'file')
  t.ok(files.every(({ parentSpanId }) => parts.some(({ spanId }) => spanId === parentSpanId)), 'each file is of a part')
  t.strictSame(files.map(({ attributes }) => attributes['fhir_bulk_export.type']).sort(), [...givenTypes].sort())
  for (const { attributes } of files) t.match(attributes, { 'fhir_bulk_export.resources': 3, 'fhir_bulk_export.bytes': Number })

  const small = spans.filter((span) => span.traceId !== traceId)
  const names = small.map(({ name }) => name).sort()
  t.strictSame(names, ['attempt', 'file', 'job', 'kick-off', 'part'], 'a patient\'s own, on the main thread')
  t.equal(new Set(small.map((span) => span.traceId)).size, 1)
  // A job that took more than its second is told as failed; it is there all the same.
  t.strictSame(spans.filter(({ name, isFailed }) => isFailed && name !== 'job'), [])
  const allowed = [
    'attempt', 'bytes', 'ending', 'export.id', 'level', 'list', 'resources', 'type',
  ].map((name) => `fhir_bulk_export.${name}`)
  const others = spans.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => !allowed.includes(name))
  t.strictSame(others, [], 'and nothing else is told')
})

async function readSpans (path: string): Promise<WrittenSpan[]> {
  return (await readFile(path, 'utf8').catch(() => '')).trim().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line))
}
