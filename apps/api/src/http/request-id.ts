import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** UUIDs, ULIDs and what proxies make. Without a dot none of them is a token. */
const usable = /^[A-Za-z0-9_-]{8,64}$/

/** That of the proxy, where there is one that can be written down; else one of its own. It is given back, and stands in log and audit. */
export function toRequestId ({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && usable.test(given) ? given : randomUUID()
}
