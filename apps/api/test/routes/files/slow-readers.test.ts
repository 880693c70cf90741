import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { createDataKey, encrypt, wrapDataKey } from '@fhir-bulk-export/core/crypto'
import { intendFile, publishExport, recordFile } from '@fhir-bulk-export/core/exports'
import { toFileKey } from '@fhir-bulk-export/core/store'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import { sample } from '@fhir-bulk-export/stack/sample'
import t from 'tap'
import { startApi, type Api } from '../../fixtures/api.ts'
import { admin, claim, countDownloads, filePath, kickOff, transactionTime } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const MiB = 1024 * 1024
const fileBytes = 500 * MiB
const readers = 20
const lineBytes = 1024

/** Lines that compress badly, so that little of the file is many bytes. */
const piece = Buffer.from(Array.from({ length: 1024 }, () => {
  const start = '{"resourceType":"Patient","id":"'
  return `${start}${randomBytes(lineBytes).toString('base64').slice(0, lineBytes - start.length - 3)}"}\n`
}).join(''))

async function * largeFile (hash = createHash('sha256')) {
  for (let sent = 0; sent < fileBytes; sent += piece.length) {
    hash.update(piece)
    yield piece
  }
}

/** Not by `complete`: the file must at no time be in memory. */
async function completeLarge (api: Api, id: string): Promise<string> {
  const attempt = await claim(api, id)
  const ref = { export_id: id, attempt, n: 1 }
  await intendFile(api.db, { ...ref, list: 'output', type: 'Patient' })
  const hash = createHash('sha256')
  const dataKey = createDataKey()
  const [master] = api.config.EXPORT_ENCRYPTION_KEY ?? []
  const { cid, pin } = await api.store.put(toFileKey(ref), master === undefined ? largeFile(hash) : encrypt(largeFile(hash), dataKey, ref))
  const sha256 = hash.digest('hex')
  const wrapped = master === undefined ? {} : wrapDataKey(dataKey, master, ref, fileBytes)
  await recordFile(api.db, ref, { cid, pin, size: fileBytes, sha256, count: fileBytes / lineBytes, ...wrapped })
  const progress = { progress: 100, total_resources: 1, exported_resources: 1 }
  if (!await publishExport(api.db, { id, attempt }, {
    files: 1, transactionTime, ttlMs: 3_600_000, progress,
  })) throw new Error('not published')
  return sha256
}

for (const [name, environment, headers] of sample('slow readers', 1, [
  ['in the clear', {}, {}],
  ['encrypted', { EXPORT_ENCRYPTION_KEY: `k1:${Buffer.alloc(32, 1).toString('base64')}` }, {}],
  ['compressed', {}, { 'accept-encoding': 'gzip' }],
] as const)) {
  t.test(`${name}: ${readers} slow readers of a file of ${fileBytes / MiB} MiB leave memory flat`, async (t) => {
    const api = await startApi(t, { environment })
    const id = await kickOff(api)
    await completeLarge(api, id)
    const origin = await api.app.listen({ host: '127.0.0.1', port: 0 })
    const before = process.memoryUsage.rss()
    let peak = before

    const requests = await Promise.all(Array.from({ length: readers }, async () => {
      const request = get(origin + filePath(id, 'Patient.1.ndjson'), { headers: { ...bearer(admin), ...headers }, agent: false })
      request.on('error', () => {})
      const [response] = await once(request, 'response') as [IncomingMessage]
      response.on('error', () => {})
      return { request, response }
    }))
    // Each takes a little, again and again, in turns; in between nothing is read.
    for (let turn = 0; turn < 40; turn++) {
      for (const { response } of requests) {
        let taken = 0
        while (taken < 64 * 1024) {
          const chunk: Buffer | null = response.read()
          if (chunk === null) await once(response, 'readable')
          else taken += chunk.length
        }
      }
      peak = Math.max(peak, process.memoryUsage.rss())
    }
    t.equal(await countDownloads(api.db), readers, 'all of them are still at it')
    t.ok(peak - before < 200 * MiB, `grew by ${Math.round((peak - before) / MiB)} MiB`)

    for (const { request } of requests) request.destroy()
    await eventually(async () => await countDownloads(api.db) === 0)
  })
}
