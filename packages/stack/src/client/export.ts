import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from '../command-error.ts'
import { ask, type Answer } from './http.ts'

/** What this client reads of a manifest (Bulk Data 3.0.0, complete status). */
export interface Manifest {
  transactionTime: string
  output: ManifestItem[]
  deleted?: ManifestItem[]
  error?: ManifestItem[]
}

export interface ManifestItem {
  type: string
  url: string
  count: number
  extension: { sha256: string, fileSize: number }
}

export interface Progress {
  /** 0–99 */
  percent: number
  /** The server's X-Progress, else the percentage. */
  text: string
}

export interface ClientOptions {
  token: string
  signal: AbortSignal
}

/** Asks for an export; the URL of its status. */
export async function kickOff (url: string, { token, signal }: ClientOptions): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/fhir+json', prefer: 'respond-async' }
  const answer = await ask(url, { headers, signal })
  const location = answer.headers['content-location']
  if (answer.status !== 202 || location === undefined) throw toError(url, answer)
  return location
}

/** Polls the status, as often as the server's Retry-After allows and at most once a second, until there is a manifest. */
export async function awaitManifest (
  statusUrl: string, onProgress: (progress: Progress) => void, { token, signal }: ClientOptions
): Promise<Manifest> {
  for (;;) {
    const answer = await ask(statusUrl, { headers: { authorization: `Bearer ${token}`, accept: 'application/json' }, signal })
    const { status, headers, text } = answer
    if (status === 200) return JSON.parse(text) as Manifest
    if (status !== 202 && status !== 429) throw toError(statusUrl, answer)

    const { progress: percent = 0 } = (text === '' ? {} : JSON.parse(text)) as { progress?: number }
    if (status === 202) onProgress({ percent, text: String(headers['x-progress'] ?? `${percent}%`) })
    const retryAfterSeconds = Number(headers['retry-after'] ?? 1)
    await sleep(Math.max(1, Number.isFinite(retryAfterSeconds) ? retryAfterSeconds : 1) * 1_000, undefined, { signal })
  }
}

function toError (url: string, { status, text }: Answer): CommandError {
  return new CommandError(`${url} answered ${status}\n${text.slice(0, 2_000)}`)
}
