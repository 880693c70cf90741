import { buffer } from 'node:stream/consumers'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { cancelExport, findDroppableFiles } from '@fhir-bulk-export/core/exports'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import t, { type Test } from 'tap'
import { requestOverSocket, startApi } from '../../fixtures/api.ts'
import { admin, complete, countDownloads, filePath, kickOff } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

/** Over real sockets: what happens to a download on its way. */

/** Far more than what sockets hold on their way. */
const file = { name: 'Patient.1.ndjson', type: 'Patient', body: `${'x'.repeat(1023)}\n`.repeat(64 * 1024) }

async function startDownload (t: Test, wrapRead?: (read: ContentStore['read']) => ContentStore['read']) {
  const api = await startApi(t, { wrap: ({ store }) => ({ store: { ...store, read: wrapRead?.(store.read) ?? store.read } }) })
  const id = await kickOff(api)
  await complete(api, id, [file])
  const response = await requestOverSocket(api.app, { path: filePath(id, file.name), headers: bearer(admin) })
  const countLeases = async () => await countDownloads(api.db)
  return { ...api, id, response, countLeases }
}

t.test('a client that reads slowly holds the store back, and gets everything in the end', async (t) => {
  let bytesRead = 0
  const { response, countLeases } = await startDownload(t, (read) => async function * (...args) {
    for await (const chunk of read(...args)) {
      bytesRead += chunk.length
      yield chunk
    }
  })
  t.equal(await countLeases(), 1, 'a lease is held while the file is sent')
  // The client has read nothing: what was read from the store fits into the buffers on the way, and no more is read.
  let seen = -1
  await eventually(async () => {
    const isStill = bytesRead > 0 && seen === bytesRead
    seen = bytesRead
    return isStill
  })
  t.ok(bytesRead < file.body.length, `${bytesRead} bytes were read`)

  const received = await buffer(response)
  t.ok(received.equals(Buffer.from(file.body)))
  await eventually(async () => await countLeases() === 0)
})

t.test('a client that goes away stops the reading at once and gives up its lease', async (t) => {
  let signal: AbortSignal | undefined
  let isReading = true
  const { response, countLeases } = await startDownload(t, (read) => async function * (stored, range, options) {
    signal = options?.signal
    try {
      yield * read(stored, range, options)
    } finally {
      isReading = false
    }
  })
  t.equal(await countLeases(), 1)
  response.on('error', () => {}).destroy()
  await eventually(async () => !isReading)
  t.ok(signal?.aborted)
  await eventually(async () => await countLeases() === 0)
})

t.test('a client that goes away while the store is silent frees it, too', async (t) => {
  let isWaiting = false
  let isReading = true
  const { response, countLeases } = await startDownload(t, () => async function * (_stored, _range, options) {
    try {
      yield * [Buffer.alloc(100), Buffer.alloc(100)]
      const { promise, reject } = Promise.withResolvers<never>()
      options?.signal?.addEventListener('abort', () => { reject(options.signal?.reason) })
      isWaiting = true
      await promise
    } finally {
      isReading = false
    }
  })
  await eventually(async () => isWaiting)
  response.on('error', () => {}).destroy()
  await eventually(async () => !isReading)
  await eventually(async () => await countLeases() === 0)
})

t.test('a store that fails on the way cuts the connection: there is no clean end', async (t) => {
  const { response, countLeases, logLines } = await startDownload(t, (read) => async function * (...args) {
    let sent = 0
    for await (const chunk of read(...args)) {
      yield chunk
      sent += chunk.length
      if (sent > 1_000_000) throw new ServiceError('STORE_SHORT')
    }
  })
  t.equal(response.statusCode, 200)
  await t.rejects(buffer(response), { code: 'ECONNRESET' })
  t.notOk(response.complete)
  await eventually(async () => await countLeases() === 0)
  await eventually(async () => logLines.some((line) => line.includes('STORE_SHORT')))
})

t.test('a store that delivers other bytes than were published: there is no clean end either', async (t) => {
  const { response, logLines } = await startDownload(t, (read) => async function * (...args) {
    for await (const chunk of read(...args)) {
      yield Buffer.from(chunk).fill('y', 0, 1)
    }
  })
  t.equal(response.statusCode, 200)
  await t.rejects(buffer(response), { code: 'ECONNRESET' })
  t.notOk(response.complete)
  await eventually(async () => logLines.some((line) => line.includes('STORE_CORRUPT')))
})

t.test('an export that is deleted while its file is sent keeps the file until then', async (t) => {
  const { response, db, id, countLeases } = await startDownload(t)
  t.ok(await cancelExport(db, id, 60_000))
  t.strictSame(await findDroppableFiles(db, 10), [])
  t.equal((await buffer(response)).length, file.body.length)
  await eventually(async () => await countLeases() === 0)
  t.equal((await findDroppableFiles(db, 10)).length, 1)
})
