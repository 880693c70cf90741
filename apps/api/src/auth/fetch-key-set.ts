import { lookup } from 'node:dns'
import { once } from 'node:events'
import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { readAtMost } from '@fhir-bulk-export/core/read-at-most'
import ipaddr from 'ipaddr.js'
import type { JSONWebKeySet } from 'jose'

/** Some hundred keys. */
const maxKeySetBytes = 256 * 1024

interface FetchOptions {
  deadlineMs: number
  /** False: an address that a client chose must not lead this service to machines of its own network. */
  mayBePrivate: boolean
}

export interface FetchedKeySet {
  /** As it was sent: jose checks its form. */
  keySet: JSONWebKeySet
  headers: IncomingHttpHeaders
}

/**
 * A JWK Set over HTTP. A redirect is not followed: it might lead out of https, or to an address that is private.
 * @throws Error for any other status than 200, an answer that is too long, late or no JSON, or a private address.
 */
export async function fetchKeySet (address: string, { deadlineMs, mayBePrivate }: FetchOptions): Promise<FetchedKeySet> {
  const url = new URL(address)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!mayBePrivate && ipaddr.isValid(host)) assertPublic(host)
  const signal = AbortSignal.timeout(deadlineMs)
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    headers: { Accept: 'application/jwk-set+json, application/json' },
    agent: false, // a connection of its own, which ends with the answer
    signal,
    ...(mayBePrivate ? {} : { lookup: lookUpPublic }),
  })
  request.on('error', () => {}) // errors come after the answer, too
  // With a signal of its own: after an unexpected 101, a request closes without an event.
  const answered = once(request, 'response', { signal }) as Promise<[IncomingMessage]>
  request.end()
  try {
    const [response] = await answered
    if (response.statusCode !== 200) throw new Error(`the key set was answered with status ${response.statusCode}`)
    const body = await readAtMost(response, maxKeySetBytes)
    return { keySet: JSON.parse(body.toString()) as JSONWebKeySet, headers: response.headers }
  } finally {
    request.destroy()
  }
}

/** The connection goes to the address that was checked. One private address among several is enough to refuse the name. */
const lookUpPublic: LookupFunction = function lookUpPublic (hostname, options, callback) {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) {
      callback(error, '', 0)
      return
    }
    try {
      for (const { address } of found) assertPublic(address)
    } catch (refused) {
      callback(refused as Error, '', 0)
      return
    }
    const [first = { address: '', family: 0 }] = found
    if (options.all === true) callback(null, found)
    else callback(null, first.address, first.family)
  })
}

/** @throws Error for loopback, private, link-local, shared, reserved and translated addresses. */
function assertPublic (address: string): void {
  if (ipaddr.process(address).range() !== 'unicast') throw new Error('the key set is at a private address')
}
