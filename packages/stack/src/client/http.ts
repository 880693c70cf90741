import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'

/**
 * The HTTP client of demo, tests, soak and benchmarks. Each request has a connection of its own, so none meets one that a dead server left.
 */

export interface RequestOptions {
  method?: string
  headers?: Record<string, string>
  body?: string
  signal?: AbortSignal
}

export interface Answer { status: number, headers: IncomingHttpHeaders, bytes: Buffer, text: string }

/** Resolves with the head of the answer; its body is the stream. */
export async function open (url: string, { method = 'GET', headers, body, signal }: RequestOptions = {}): Promise<IncomingMessage> {
  const sent = request(url, {
    method, agent: false, ...(headers === undefined ? {} : { headers }), ...(signal === undefined ? {} : { signal }),
  })
  const answered = once(sent, 'response')
  sent.end(body)
  const [response] = await answered as [IncomingMessage]
  return response
}

/** Resolves with the whole answer, decoded if it was compressed. */
export async function ask (url: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await open(url, options)
  const body = await buffer(response)
  const bytes = response.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
  return { status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString() }
}
