import t from 'tap'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import { startApi } from '../../fixtures/api.ts'
import { admin, complete, countDownloads, filePath, kickOff, patient, startWithFile } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const body = '{"resourceType":"Patient","id":"1","name":[{"family":"Müller"}]}\n{"resourceType":"Patient","id":"2"}\n'
const size = Buffer.byteLength(body)
const file = { name: 'Patient.1.ndjson', type: 'Patient', body }
const headers = bearer(admin)

t.test('the whole file, and its headers', async (t) => {
  const api = await startWithFile(t, file)
  const expected = {
    'content-type': 'application/fhir+ndjson',
    'content-length': String(size),
    etag: api.etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache, no-store',
  }
  const response = await api.app.inject({ url: api.url, headers })
  t.equal(response.statusCode, 200)
  t.match(response.headers, expected)
  t.equal(response.body, body)

  const head = await api.app.inject({ method: 'HEAD', url: api.url, headers: { ...headers, range: 'bytes=0-1' } })
  t.equal(head.statusCode, 200)
  t.match(head.headers, expected)
  t.equal(head.body, '')
  await eventually(async () => await countDownloads(api.db) === 0)
})

t.test('If-Match: 412 for another version of the file, before anything is read', async (t) => {
  const api = await startWithFile(t, file)
  const { app, url, etag } = api
  for (const method of ['GET', 'HEAD'] as const) {
    for (const [wanted, status] of [
      [etag, 200], ['*', 200], [`"x", ${etag}`, 200], [etag.replace(/"$/, '-gzip"'), 200], ['"x"', 412], [`W/${etag}`, 412], ['', 412],
      [etag.slice(1, -1), 412],
    ] as const) {
      const response = await app.inject({ method, url, headers: { ...headers, 'if-match': wanted, 'if-none-match': '"y"' } })
      t.equal(response.statusCode, status, `${method} ${wanted}`)
      if (status === 412 && method === 'GET') {
        t.match(response.json(), { issue: [{ code: 'conflict', details: { coding: [{ code: 'precondition-failed' }] } }] })
      }
    }
  }
  t.equal(
    (await app.inject({ url, headers: { ...headers, 'if-match': '"x"', 'if-none-match': etag, range: 'bytes=0-1' } })).statusCode, 412,
    'it comes first'
  )
  await eventually(async () => await countDownloads(api.db) === 0)
})

t.test('a part of the file', async (t) => {
  const { app, url, etag } = await startWithFile(t, file)
  for (const [range, part, contentRange] of [
    ['bytes=0-4', body.slice(0, 5), `bytes 0-4/${size}`],
    ['bytes=-5', body.slice(-5), `bytes ${size - 5}-${size - 1}/${size}`],
    [`bytes=${size - 1}-`, '\n', `bytes ${size - 1}-${size - 1}/${size}`],
  ] as const) {
    const response = await app.inject({ url, headers: { ...headers, range } })
    t.equal(response.statusCode, 206, range)
    t.equal(response.body, part)
    t.match(response.headers, {
      'content-range': contentRange, 'content-length': String(part.length), etag, 'content-type': 'application/fhir+ndjson',
    })
  }
  for (const ignored of [{ range: 'bytes=0-1,3-4' }, { range: 'lines=0-1' }, { range: 'bytes=0-1', 'if-range': '"another"' }]) {
    const response = await app.inject({ url, headers: { ...headers, ...ignored } })
    t.equal(response.statusCode, 200)
    t.equal(response.body, body)
    t.notOk(response.headers['content-range'])
  }
  const resumed = await app.inject({ url, headers: { ...headers, range: 'bytes=0-1', 'if-range': etag } })
  t.equal(resumed.statusCode, 206)
})

t.test('a part that the file does not have is 416', async (t) => {
  const { app, url } = await startWithFile(t, file)
  const response = await app.inject({ url, headers: { ...headers, range: `bytes=${size}-` } })
  t.equal(response.statusCode, 416)
  t.match(response.headers, { 'content-range': `bytes */${size}`, 'content-type': /^application\/fhir\+json/, 'cache-control': 'no-store' })
  t.match(response.json(), { issue: [{ code: 'not-supported', details: { coding: [{ code: 'range-not-satisfiable' }] } }] })
})

t.test('a file that the client has is 304, without a look into the store', async (t) => {
  const { app, url, etag } = await startWithFile(t, file, {
    wrap: ({ store }) => ({ store: { ...store, read: () => { throw new Error('not asked for') } } }),
  })
  for (const method of ['GET', 'HEAD'] as const) {
    const response = await app.inject({ method, url, headers: { ...headers, 'if-none-match': `W/"x", ${etag}`, range: 'bytes=0-1' } })
    t.equal(response.statusCode, 304)
    t.match(response.headers, { etag, 'cache-control': 'private, no-cache, no-store' })
    t.equal(response.body, '')
  }
})

t.test('404: no such file, not completed, deleted, expired', async (t) => {
  const api = await startWithFile(t, file)
  const pending = await kickOff(api)
  const expired = await kickOff(api)
  await complete(api, expired, [file], 0)
  for (const url of [
    filePath(api.id, 'Patient.2.ndjson'), filePath(api.id, 'patient.1.ndjson'), filePath(api.id, 'Patient.1.ndjson%00'),
    filePath(api.id, '..%2F..%2Fetc%2Fpasswd'),
    filePath(api.id, 'x'.repeat(500)), filePath('nope', file.name), filePath('00000000-0000-4000-8000-000000000000', file.name),
    filePath(pending, file.name), filePath(expired, file.name),
  ]) {
    for (const method of ['GET', 'HEAD'] as const) {
      const response = await api.app.inject({ method, url, headers })
      t.equal(response.statusCode, 404, url)
      if (method === 'GET') t.match(response.json(), { issue: [{ code: 'not-found' }] })
    }
  }
})

t.test('an attempt that was not published shows none of its files', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api, { claims: patient })
  await api.db.insertInto('bulk_export_files')
    .values({
      export_id: id,
      attempt: 1,
      n: 0,
      state: 'stored',
      list: 'output',
      type: 'Patient',
      name: file.name,
      cid: 'Qm',
      size: 1,
      sha256: 'x',
      count: 1,
    })
    .execute()
  t.equal((await api.app.inject({ url: filePath(id, file.name), headers: bearer(patient) })).statusCode, 404)
})

t.test('a store that does not deliver is 503 while that can still be said', async (t) => {
  for (const code of ['STORE_FAILED', 'STORE_NOT_FOUND', 'STORE_SHORT'] as const) {
    const api = await startWithFile(t, file, {
      wrap: ({ store }) => ({
        store: { ...store, read: async function * () { throw new ServiceError(code, 'the store at 10.0.0.7 has no key') } },
      }),
    })
    const response = await api.app.inject({ url: api.url, headers })
    t.equal(response.statusCode, 503, code)
    t.match(response.headers, { 'retry-after': /^\d+$/, 'content-type': /^application\/fhir\+json/, 'cache-control': 'no-store' })
    t.match(response.json(), { issue: [{ code: 'transient', details: { coding: [{ code: 'unavailable' }] } }] })
    t.notMatch(response.body, /10\.0\.0\.7/)
    t.equal(await countDownloads(api.db), 0)
  }
})
