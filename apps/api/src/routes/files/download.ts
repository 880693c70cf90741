import { finished, pipeline, type Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ApiMetrics } from '@fhir-bulk-export/core/metrics'
import type { ByteRange, ContentStore } from '@fhir-bulk-export/core/store'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { toActor } from '../../http/actor.ts'
import { toEmptyAnswer } from '../../openapi/answer.ts'
import { acceptRanges, contentEncoding, contentRange, downloadHeaders, eTag } from '../../openapi/headers.ts'
import { holdDownload } from './download-lease.ts'
import { fileNotFound, getFile, type DownloadableFile, type FileServices } from './find-file.ts'
import { assertIntact } from './intact.ts'
import { openStream } from './open-stream.ts'
import { createCompression, selectRepresentation } from './representation.ts'

interface DownloadOptions extends FileServices { store: ContentStore, metrics: ApiMetrics }

/** `undefined` is the body of a HEAD response. */
const ndjson = { 'application/fhir+ndjson': { schema: Type.Unsafe<Readable | undefined>({ type: 'string' }) } }
const headers = { ETag: eTag, 'Accept-Ranges': acceptRanges, 'Content-Encoding': contentEncoding }
const wholeFile = { description: 'The file: a resource a line', headers, content: ndjson }
const partOfFile = {
  description: 'The range of it that was asked for',
  headers: { ETag: eTag, 'Accept-Ranges': acceptRanges, 'Content-Range': contentRange },
  content: ndjson,
}

const schema = {
  tags: ['Export'],
  operationId: 'getExportFile',
  summary: 'One NDJSON file of a completed export',
  description: 'With ETag, If-Match, If-None-Match, one Range, If-Range, and gzip where it is accepted.',
  params: Type.Object({
    jobId: Type.String({ description: 'The id of the export' }),
    fileName: Type.String({ description: 'As in the manifest: Patient.1.ndjson' }),
  }),
  headers: downloadHeaders,
  response: { 200: wholeFile, 206: partOfFile, 304: toEmptyAnswer('The client has it', { ETag: eTag }) },
}

/** Bulk Data 3.0.0, Bulk Data Output File Request. Token, expiry and key are checked at the start. */
export const download: FastifyPluginAsyncTypebox<DownloadOptions> = async function download (app, { store, metrics, ...files }) {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/$export-file/:jobId/:fileName',
    schema,
    config: { unexpected: 'UNAVAILABLE' },
    handler: async function sendFile (request, reply) {
      const file = await getFile(files, request.caller, request.params)
      const { content: { size }, sha256 } = file
      addToVary(reply, 'Accept-Encoding')
      const selected = selectRepresentation(request.method, request.headers, { sha256, size })
      if (selected.kind === 'other-version') throw new ServiceError('PRECONDITION_FAILED')
      if (selected.kind === 'unsatisfiable') {
        reply.header('Content-Range', `bytes */${size}`)
        throw new ServiceError('RANGE_NOT_SATISFIABLE', `The file has ${size} bytes`)
      }
      // No cache may keep health data. A client that keeps it has to revalidate (ETag).
      const headers = { ETag: selected.etag, 'Cache-Control': 'private, no-cache, no-store', 'Accept-Ranges': 'bytes' }
      if (selected.kind === 'not-modified') return await reply.code(304).headers(headers).send(undefined)
      const { coding, range } = selected
      const bytes = request.method === 'HEAD' ? undefined : await open(file, range, request, reply)
      if (range !== undefined) reply.code(206).header('Content-Range', `bytes ${range.start}-${range.end - 1}/${size}`)
      reply.headers(headers).type('application/fhir+ndjson')
      if (coding === 'gzip') {
        return await reply.header('Content-Encoding', coding).send(bytes === undefined ? undefined : compress(bytes))
      }
      return await reply.header('Content-Length', range === undefined ? size : range.end - range.start).send(bytes)
    },
  })

  /** The bytes of the file, under a lease that ends with the response. */
  async function open (
    { exportId, fileName, content, sha256 }: DownloadableFile, range: ByteRange | undefined, request: FastifyRequest, reply: FastifyReply
  ): Promise<Readable> {
    const lease = await holdDownload(files.db, { exportId, fileName, by: toActor(request) }, reply.log)
    if (lease === undefined) throw fileNotFound()
    const abandoned = new AbortController()
    reply.raw.once('close', () => { abandoned.abort() })
    if (reply.raw.destroyed) abandoned.abort()
    const begun = performance.now()
    let sent = 0
    const end = async (isWhole: boolean): Promise<void> => {
      const durationMs = Math.round(performance.now() - begun)
      metrics.downloads.observe({ ending: isWhole ? 'whole' : 'broken_off' }, durationMs / 1_000)
      metrics.downloadBytes.inc(sent)
      request.log.info({ exportId, file: fileName, bytes: sent, durationMs, isWhole }, 'download ended')
      await lease.release({ bytes: sent, isWhole })
    }
    try {
      const bytes = content.read(store, range, { signal: abandoned.signal })
      const stream = await openStream(range === undefined ? assertIntact(bytes, sha256) : bytes)
      stream.on('data', (chunk: Uint8Array) => { sent += chunk.length }).pause() // it flows once it is sent
      void waitForEnd(stream, reply).then(end)
      return stream
    } catch (error) {
      await end(false)
      throw error
    }
  }
}

/** Resolves with whether the whole response was sent, once the stream is closed as well. */
async function waitForEnd (stream: Readable, reply: FastifyReply): Promise<boolean> {
  const isRead = new Promise<void>((resolve) => { stream.once('close', resolve) })
  const isAnswered = new Promise<boolean>((resolve) => { finished(reply.raw, (error) => { resolve(error == null) }) })
  const [isWhole] = await Promise.all([isAnswered, isRead])
  return isWhole
}

/** CORS may have set Vary. */
function addToVary (reply: FastifyReply, field: string): void {
  reply.header('Vary', [reply.getHeader('Vary') ?? [], field].flat().join(', '))
}

/** An error of either stream destroys both. */
function compress (bytes: Readable): Readable {
  return pipeline(bytes, createCompression(), () => {})
}
