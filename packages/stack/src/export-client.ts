import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from './command-error.ts'

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
  const response = await fetch(url, { headers, signal })
  const location = response.headers.get('content-location')
  if (response.status !== 202 || location === null) throw await unexpected(response)
  await response.body?.cancel()
  return location
}

/** Polls the status, as often as the server's Retry-After allows and at most once a second, until there is a manifest. */
export async function awaitManifest (statusUrl: string, onProgress: (progress: Progress) => void, { token, signal }: ClientOptions): Promise<Manifest> {
  for (;;) {
    const response = await fetch(statusUrl, { headers: { authorization: `Bearer ${token}`, accept: 'application/json' }, signal })
    if (response.status === 200) return await response.json() as Manifest
    if (response.status !== 202 && response.status !== 429) throw await unexpected(response)

    const { progress: percent = 0 } = await response.json().catch(() => ({})) as { progress?: number }
    if (response.status === 202) onProgress({ percent, text: response.headers.get('x-progress') ?? `${percent}%` })
    const retryAfterSeconds = Number(response.headers.get('retry-after') ?? 1)
    await sleep(Math.max(1, Number.isFinite(retryAfterSeconds) ? retryAfterSeconds : 1) * 1_000, undefined, { signal })
  }
}

async function unexpected (response: Response): Promise<CommandError> {
  const body = await response.text().catch(() => '')
  return new CommandError(`${response.url} answered ${response.status}\n${body.slice(0, 2_000)}`)
}
