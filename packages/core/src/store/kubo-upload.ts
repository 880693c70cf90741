import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { readAtMost } from '../read-at-most.ts'
import type { KuboEndpoint } from './kubo-endpoint.ts'

export interface Added { path: string, cid: string }

/** All of what decides a CID is said, so that a node's own Import settings do not: these are the defaults of `ipfs add`. */
const parameters = new URLSearchParams({
  'cid-version': '0', 'raw-leaves': 'false', chunker: 'size-262144', hash: 'sha2-256', trickle: 'false', pin: 'true', progress: 'false',
})

/** A line for the file, and one for each of its directories. */
const maxAnswerBytes = 64 * 1024

/**
 * `POST /api/v0/add` of one file (https://docs.ipfs.tech/reference/kubo/rpc/#api-v0-add): the file and the directories of `path`, as
 * far as the node confirmed them.
 *
 * Not by ipfs-http-client, which uploads by fetch: that keeps a second copy of the body for a redirect, so 400 MB uploaded are 400 MB
 * of memory; it drops the trailers, which is where Kubo says that an add failed; and after a source's error the client still ends the
 * multipart body properly. Here an error of `content` takes the connection down in the middle of the body.
 */
export async function upload ({ url, headers }: KuboEndpoint, path: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Added[]> {
  const boundary = randomUUID()
  const target = new URL(`add?${parameters}`, url)
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest
  const request = send(target, { method: 'POST', signal, headers: { ...headers, 'Content-Type': `multipart/form-data; boundary=${boundary}` } })
  const responded = once(request, 'response')
  request.on('error', () => {}) // one that comes after the response has nobody else to listen; reading the response fails then
  const sent = pipeline(Readable.from(multipart(boundary, path, content), { objectMode: false }), request)
  // Whichever fails first takes the other down with it.
  sent.catch(() => {})
  const [response]: IncomingMessage[] = await responded
  if (response === undefined) throw new Error('No response')
  const answer = (await readAtMost(response, maxAnswerBytes)).toString()
  const failure = response.trailers['x-stream-error']
  if (response.statusCode !== 200 || failure !== undefined) throw new Error(`HTTP ${response.statusCode}: ${failure ?? answer.slice(0, 1_000)}`)
  await sent
  return answer.split('\n').filter((line) => line.trim() !== '').map(toAdded)
}

async function * multipart (boundary: string, path: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(
    `--${boundary}\r\n` +
    `Content-Disposition: form-data; name="file"; filename="${encodeURIComponent(path)}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n')
  yield * content
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

function toAdded (line: string): Added {
  const { Name: path, Hash: cid }: Record<string, unknown> = JSON.parse(line)
  if (typeof path !== 'string' || typeof cid !== 'string') throw new Error('The answer to an add is of another form')
  return { path, cid }
}
