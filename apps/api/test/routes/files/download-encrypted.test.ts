import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { parseKeyring, toCiphertextSize, toStoredPlaintext } from '@fhir-bulk-export/core/crypto'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import t from 'tap'
import { requestOverSocket, startApi, type Api } from '../../fixtures/api.ts'
import { admin, complete, countDownloads, filePath, kickOff, startWithFile, statusPath } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const body = Array.from({ length: 20_000 }, (_, i) => `{"resourceType":"Patient","id":"${i}"}\n`).join('')
const size = Buffer.byteLength(body)
const file = { name: 'Patient.1.ndjson', type: 'Patient', body }
const keyOf = (id: string, fill: number) => `${id}:${Buffer.alloc(32, fill).toString('base64')}`
const EXPORT_ENCRYPTION_KEY = keyOf('k1', 1)
const environment = { EXPORT_ENCRYPTION_KEY }
const headers = bearer(admin)

const findRow = async ({ db }: Pick<Api, 'db'>) => await db.selectFrom('bulk_export_files').selectAll().executeTakeFirstOrThrow()
const keptBytes = async (directory: string) => {
  const [name = ''] = await readdir(directory)
  return { path: join(directory, name), bytes: await readFile(join(directory, name)) }
}

t.test('the store holds ciphertext, a client gets the file: whole, in parts, compressed', async (t) => {
  const { app, url, stored, directory } = await startWithFile(t, file, { environment })
  const { bytes } = await keptBytes(directory)
  t.equal(bytes.length, toCiphertextSize(size))
  t.notOk(bytes.includes('Patient'))

  const response = await app.inject({ url, headers })
  t.match(response.headers, { etag: `"${stored?.sha256}"`, 'content-length': String(size) })
  t.equal(response.body, body)
  t.match((await app.inject({ method: 'HEAD', url, headers })).headers, { etag: `"${stored?.sha256}"`, 'content-length': String(size) })
  const compressed = await app.inject({ url, headers: { ...headers, 'accept-encoding': 'gzip' } })
  t.equal(gunzipSync(compressed.rawPayload).toString(), body)
  for (const [start, end] of [[0, 0], [65_530, 65_540], [131_072, 131_072], [size - 1, size - 1], [70_000, 400_000]] as const) {
    const part = await app.inject({ url, headers: { ...headers, range: `bytes=${start}-${end}` } })
    t.equal(part.statusCode, 206)
    t.equal(part.body, body.slice(start, end + 1), `${start}-${end}`)
  }
})

t.test('the manifest says so, and sends every client to the plaintext', async (t) => {
  for (const prefer of [undefined, 'respond-async']) {
    const { app, id, url, stored, config } = await startWithFile(t, file, { environment, prefer })
    const manifest = (await app.inject({ url: statusPath(id), headers })).json()
    t.match(manifest.output, [{
      type: 'Patient',
      url: `${config.PUBLIC_URL}${url}`,
      count: 20_000,
      extension: {
        cid: stored?.cid,
        url: `ipfs://${stored?.cid}`,
        sha256: stored?.sha256,
        fileSize: size,
        encryption: { scheme: 'AES-256-GCM-STREAM-64KiB', keyId: 'k1' },
      },
    }])
  }
})

t.test('files under a retired key are read as long as it is configured; without it 503, and the log names the key', async (t) => {
  const { id, url, db, store } = await startWithFile(t, file, { environment })
  const environmentOf = (keys: string) => keys === '' ? {} : { EXPORT_ENCRYPTION_KEY: keys }
  const wrap = () => ({ db, store })
  await t.test('after a rotation', async (t) => {
    const { app } = await startApi(t, { environment: environmentOf(`${keyOf('k2', 2)},${EXPORT_ENCRYPTION_KEY}`), wrap })
    t.equal((await app.inject({ url, headers })).body, body)
  })
  for (const keys of ['', keyOf('k2', 2), keyOf('k1', 3)]) {
    await t.test(`with the key ${keys.slice(0, 5)}`, async (t) => {
      const { app, logLines } = await startApi(t, { environment: environmentOf(keys), wrap })
      const response = await app.inject({ url, headers })
      t.equal(response.statusCode, 503)
      t.match(response.json(), {
        issue: [{ code: 'transient', diagnostics: 'The file cannot be decrypted here: its key is not configured' }],
      })
      t.ok(logLines.some((line) => line.includes('KEY_UNUSABLE') && line.includes('key k1')))
      t.equal((await app.inject({ url: statusPath(id), headers })).statusCode, 200, 'the manifest needs no key')
    })
  }
  await eventually(async () => await countDownloads(db) === 0)
})

t.test('changed bytes are 503 at the beginning of a file, and a broken connection further on', async (t) => {
  const { app, url, directory, logLines } = await startWithFile(t, file, { environment })
  const { path, bytes } = await keptBytes(directory)
  const change = async (position: number) => {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(position) ^ 1, position)
    await writeFile(path, changed)
  }
  await change(100)
  t.equal((await app.inject({ url, headers })).statusCode, 503)
  t.ok(logLines.some((line) => line.includes('STORE_CORRUPT')))
  t.equal(
    (await app.inject({ url, headers: { ...headers, range: 'bytes=200000-200009' } })).body, body.slice(200_000, 200_010),
    'another chunk is whole'
  )

  await change(bytes.length - 1)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const response = await fetch(origin + url, { headers })
  t.equal(response.status, 200)
  await t.rejects(response.text())
})

t.test('crypto-shredding: after a DELETE, kept blocks are useless, even with the master key and the database', async (t) => {
  const api = await startWithFile(t, file, { environment })
  const keyring = parseKeyring(EXPORT_ENCRYPTION_KEY)
  const before = await findRow(api)
  const { bytes } = await keptBytes(api.directory)
  const read = async (row: typeof before) => {
    const plaintext = toStoredPlaintext(row, keyring)
    return plaintext === undefined ? undefined : await buffer(plaintext.read(api.store))
  }
  t.equal((await read(before))?.toString(), body, 'until then it is all that is needed')

  t.equal((await api.app.inject({ method: 'DELETE', url: statusPath(api.id), headers })).statusCode, 204)
  const after = await findRow(api)
  t.equal(after.wrapped_key, null)
  t.equal(await read(after), undefined)
  t.ok((await keptBytes(api.directory)).bytes.equals(bytes), 'the blocks are where they were')
  t.equal((await api.app.inject({ url: api.url, headers })).statusCode, 404)

  // Nothing else in the database holds the key.
  const wrapped = before.wrapped_key?.toString('hex') ?? ''
  for (const table of ['bulk_export_jobs', 'bulk_export_files', 'bulk_export_downloads'] as const) {
    t.notOk(JSON.stringify(await api.db.selectFrom(table).selectAll().execute()).includes(wrapped), table)
  }
})

t.test('a download that has begun ends well after the key is destroyed', async (t) => {
  const large = { ...file, body: body.repeat(80) } // far more than what sockets hold on their way
  const api = await startApi(t, { environment: { EXPORT_ENCRYPTION_KEY } })
  const id = await kickOff(api)
  await complete(api, id, [large])
  const response = await requestOverSocket(api.app, { path: filePath(id, file.name), headers })
  await api.app.inject({ method: 'DELETE', url: statusPath(id), headers })
  t.equal((await findRow(api)).wrapped_key, null)
  t.ok((await buffer(response)).equals(Buffer.from(large.body)))
  await eventually(async () => await countDownloads(api.db) === 0)
})

t.test('where encryption is required a file in the clear is not handed out, wherever it came from', async (t) => {
  const clear = await startApi(t)
  const wrap = () => ({ db: clear.db, store: clear.store })
  const required = await startApi(t, { environment: { EXPORT_ENCRYPTION_KEY, ENCRYPTION_REQUIRED: 'true' }, wrap })
  const other = await startApi(t, { environment: { EXPORT_ENCRYPTION_KEY }, wrap })
  const id = await kickOff(clear)
  await complete(clear, id, [file])
  const url = filePath(id, file.name)
  for (const method of ['GET', 'HEAD'] as const) t.equal((await required.app.inject({ method, url, headers })).statusCode, 503, method)
  t.match((await required.app.inject({ url, headers })).json(), {
    issue: [{ code: 'transient', diagnostics: 'The file is not encrypted, and only encrypted files are handed out here' }],
  })
  t.equal((await other.app.inject({ url, headers })).statusCode, 200, 'where it is not required')
})
