import { gunzipSync } from 'node:zlib'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import t from 'tap'
import { admin, countDownloads, startWithFile } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const body = '{"resourceType":"Patient","id":"1","name":[{"family":"Müller"}]}\n'.repeat(10_000)
const size = Buffer.byteLength(body)
const file = { name: 'Patient.1.ndjson', type: 'Patient', body }
const headers = { ...bearer(admin), 'accept-encoding': 'gzip, deflate, br' }

t.test('gzip when it is asked for, with an ETag of its own', async (t) => {
  const { app, url, stored: { sha256 }, db } = await startWithFile(t, file)
  const response = await app.inject({ url, headers })
  t.equal(response.statusCode, 200)
  t.match(response.headers, {
    'content-encoding': 'gzip',
    vary: 'Accept-Encoding',
    etag: `"${sha256}-gzip"`,
    'content-type': 'application/fhir+ndjson',
    'cache-control': 'private, no-cache, no-store',
  })
  t.notOk('content-length' in response.headers)
  t.ok(response.rawPayload.length < size / 5)
  t.equal(gunzipSync(response.rawPayload).toString(), body)

  const head = await app.inject({ method: 'HEAD', url, headers })
  t.match(head.headers, { 'content-encoding': 'gzip', vary: 'Accept-Encoding', etag: `"${sha256}-gzip"` })
  t.notOk('content-length' in head.headers)
  t.equal(head.body, '')

  const plain = await app.inject({ url, headers: bearer(admin) })
  t.match(plain.headers, { vary: 'Accept-Encoding', etag: `"${sha256}"`, 'content-length': String(size) })
  t.notOk('content-encoding' in plain.headers)
  await eventually(async () => await countDownloads(db) === 0)
})

t.test('a part is never compressed, nor is the whole where a part was asked for', async (t) => {
  const { app, url, stored: { sha256 } } = await startWithFile(t, file)
  for (const [extra, status] of [
    [{ range: 'bytes=0-9' }, 206], [{ range: 'bytes=0-1,3-4' }, 200], [{ range: 'bytes=0-9', 'if-range': `"${sha256}-gzip"` }, 200],
    [{ range: 'bytes=0-9', 'if-range': `"${sha256}"` }, 206],
  ] as const) {
    const response = await app.inject({ url, headers: { ...headers, ...extra } })
    t.equal(response.statusCode, status, JSON.stringify(extra))
    t.notOk('content-encoding' in response.headers)
    t.match(response.headers, { etag: `"${sha256}"`, vary: 'Accept-Encoding', 'content-length': status === 206 ? '10' : String(size) })
  }
})

t.test('who has the file in either coding need not fetch it again', async (t) => {
  const { app, url, stored: { sha256 } } = await startWithFile(t, file)
  for (const tag of [`"${sha256}"`, `"${sha256}-gzip"`]) {
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
      const response = await app.inject({ url, headers: { ...headers, 'if-none-match': known } })
      t.equal(response.statusCode, 304, known)
      t.match(response.headers, { etag: tag, vary: 'Accept-Encoding' })
    }
  }
  t.match((await app.inject({ url, headers: { ...headers, 'if-none-match': '*' } })).headers, { etag: `"${sha256}-gzip"` })
  t.equal((await app.inject({ url, headers: { ...headers, 'if-none-match': '"other"' } })).statusCode, 200)
})

t.test('a store that fails on the way is no clean end of the compressed stream either', async (t) => {
  const { app, url, db } = await startWithFile(t, file, {
    wrap: ({ store }) => ({
      store: {
        ...store,
        read: async function * (...args) {
          let isFirst = true
          for await (const chunk of store.read(...args)) {
            if (!isFirst) throw new ServiceError('STORE_SHORT')
            yield chunk
            isFirst = false
          }
        },
      },
    }),
  })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const response = await fetch(origin + url, { headers })
  // The headers may not have been sent when it fails: then the answer is an error, else the connection is cut.
  if (response.status !== 503) {
    t.equal(response.status, 200)
    await t.rejects(response.text())
  }
  await eventually(async () => await countDownloads(db) === 0)
})
