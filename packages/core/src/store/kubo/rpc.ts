import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { readAtMost } from '../../read-at-most.ts'
import type { KuboEndpoint } from './endpoint.ts'

interface Body { content: AsyncIterable<Uint8Array>, headers: OutgoingHttpHeaders }
interface Options { parameters: Record<string, string>, signal: AbortSignal, body?: Body }

/** What the node tells of its running commands is one line. */
const MAX_LINE = 1024 * 1024

/**
 * One command, `POST /api/v0/<command>`, that answers with lines of JSON. Kubo answers 200 before it begins: what fails later stands
 * in a trailer, which fetch drops, and ipfs-http-client with it. So commands whose answer has no length to compare with come this way.
 */
export async function * callForLines (endpoint: KuboEndpoint, command: string, options: Options): AsyncGenerator<Record<string, unknown>> {
  const { response, sent } = await post(endpoint, command, options)
  if (response.statusCode !== 200) {
    throw new Error(`HTTP ${response.statusCode}: ${(await readAtMost(response, MAX_LINE)).toString().slice(0, 1_000)}`)
  }
  for await (const line of toLines(response)) yield JSON.parse(line)
  const failure = response.trailers['x-stream-error']
  if (failure !== undefined) throw new Error(failure)
  if (!response.complete) throw new Error('The answer broke off')
  await sent
}

/** The same, where the answer is one line. */
export async function callForLine (endpoint: KuboEndpoint, command: string, options: Options): Promise<Record<string, unknown>> {
  let answer: Record<string, unknown> | undefined
  for await (const line of callForLines(endpoint, command, options)) answer ??= line
  if (answer === undefined) throw new Error('The answer is empty')
  return answer
}

/** Not by node:readline, which waits for ever where its input breaks off. */
async function * toLines (response: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  for await (const text of response.setEncoding('utf8')) {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE) throw new Error(`A line of the answer is longer than ${MAX_LINE} characters`)
    yield * lines.filter((line) => line.trim() !== '')
  }
  if (rest.trim() !== '') yield rest
}

async function post ({ url, headers }: KuboEndpoint, command: string, {
  parameters, signal,
  body
}: Options): Promise<{ response: IncomingMessage, sent: Promise<void> }> {
  const target = new URL(`${command}?${new URLSearchParams(parameters)}`, url)
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest
  const request = send(target, { method: 'POST', signal, headers: { ...headers, ...body?.headers } })
  const responded = once(request, 'response')
  request.on('error', () => {}) // after the response there is no other listener; reading the response fails then
  const sent = body === undefined ? Promise.resolve() : pipeline(body.content, request)
  // Whichever fails first takes the other down with it.
  sent.catch(() => {})
  if (body === undefined) request.end()
  const [response]: IncomingMessage[] = await responded
  if (response === undefined) throw new Error('No response')
  return { response, sent }
}
