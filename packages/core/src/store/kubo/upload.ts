import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { KuboEndpoint } from './endpoint.ts'
import { callForLines } from './rpc.ts'

export interface Added { path: string, cid: string }

/** All of what decides a CID is said, so that a node's own Import settings do not: these are the defaults of `ipfs add --cid-version 0`. */
const layout = {
  'cid-version': '0', 'raw-leaves': 'false', chunker: 'size-262144', hash: 'sha2-256', trickle: 'false', 'max-file-links': '174',
  inline: 'false',
}

/** The file, and its directory. */
const MAX_ADDED = 2

/**
 * `POST /api/v0/add` of one file (https://docs.ipfs.tech/reference/kubo/rpc/#api-v0-add): the file and the directories of `path`, as
 * far as the node confirmed them. The directory is pinned, under the name `pinName`.
 *
 * Not by ipfs-http-client, which uploads by fetch: that keeps a second copy of the body for a redirect, so 400 MB uploaded are 400 MB
 * of memory; it drops the trailers, which is where Kubo says that an add failed; and after a source's error the client still ends the
 * multipart body properly. Here an error of `content` takes the connection down in the middle of the body.
 */
export async function upload (endpoint: KuboEndpoint, {
  path, pinName,
  content
}: { path: string, pinName: string, content: AsyncIterable<Uint8Array> }, signal: AbortSignal): Promise<Added[]> {
  const boundary = randomUUID()
  const parameters = { ...layout, pin: 'true', 'pin-name': pinName, progress: 'false' }
  const body = {
    content: Readable.from(multipart(boundary, path, content), { objectMode: false }),
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
  }
  const added: Added[] = []
  for await (const line of callForLines(endpoint, 'add', { parameters, signal, body })) {
    if (added.push(toAdded(line)) > MAX_ADDED) throw new Error('The answer to an add names more than was sent')
  }
  return added
}

async function * multipart (boundary: string, path: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(
    `--${boundary}\r\n` +
    `Content-Disposition: form-data; name="file"; filename="${encodeURIComponent(path)}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n')
  yield * content
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

function toAdded ({ Name: path, Hash: cid }: Record<string, unknown>): Added {
  if (typeof path !== 'string' || typeof cid !== 'string') throw new Error('The answer to an add is of another form')
  return { path, cid }
}
