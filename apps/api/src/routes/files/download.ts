import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ByteRange, ContentStore } from '@fhir-bulk-export/core/store'
import { Type } from '@sinclair/typebox'
import type { FastifyReply } from 'fastify'
import type { Kysely } from 'kysely'
import { isNotModified, selectRange } from '../../http/conditions.ts'
import { holdDownload } from './download-lease.ts'
import { fileNotFound, getFile } from './find-file.ts'
import type { DownloadableFile } from './find-file.ts'
import { openStream } from './open-stream.ts'

/** Bulk Data 3.0.0, Bulk Data Output File Request. Token and expiry are checked at the start, not while it is sent. */
export const download: FastifyPluginAsyncTypebox<{ db: Kysely<Database>, store: ContentStore }> = async function download (app, { db, store }) {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/$export-file/:jobId/:fileName',
    schema: { params: Type.Object({ jobId: Type.String(), fileName: Type.String() }) },
    config: { unexpected: 'UNAVAILABLE' },
    handler: async function sendFile (request, reply) {
      const file = await getFile(db, request.caller, request.params)
      const { size } = file.handle
      const etag = `"${file.sha256}"`
      const headers = { ETag: etag, 'Cache-Control': 'private, no-cache', 'Accept-Ranges': 'bytes' }
      if (isNotModified(request.headers, etag)) return await reply.code(304).headers(headers).send()

      const isHead = request.method === 'HEAD' // a Range is for GET alone (RFC 9110, 14.2)
      const range = isHead ? undefined : selectRange(request.headers, { etag, size })
      if (range === 'unsatisfiable') {
        reply.header('Content-Range', `bytes */${size}`)
        throw new ServiceError('RANGE_NOT_SATISFIABLE', `The file has ${size} bytes`)
      }
      const content = isHead ? undefined : await open(file, range, reply)
      if (range !== undefined) reply.code(206).header('Content-Range', `bytes ${range.start}-${range.end - 1}/${size}`)
      return await reply.headers(headers)
        .header('Content-Length', range === undefined ? size : range.end - range.start)
        .type('application/fhir+ndjson')
        .send(content)
    },
  })

  /** The file's bytes, under a lease that ends with them; a client that goes away ends both. */
  async function open ({ exportId, handle }: DownloadableFile, range: ByteRange | undefined, reply: FastifyReply): Promise<Readable> {
    const lease = await holdDownload(db, exportId, reply.log)
    if (lease === undefined) throw fileNotFound()
    const abandoned = new AbortController()
    reply.raw.once('close', () => { abandoned.abort() })
    if (reply.raw.destroyed) abandoned.abort()
    try {
      return (await openStream(store, handle, range, abandoned.signal)).once('close', lease.release)
    } catch (error) {
      await lease.release()
      throw error
    }
  }
}
