import type { Manifest } from '@fhir-bulk-export/core/exports'
import type { Answer } from '@fhir-bulk-export/stack/client'
import { signToken } from '@fhir-bulk-export/stack/tokens'
import type { OperationOutcome } from 'fhir/r4.js'
import { groupId, readableConsents } from './data.ts'
import type { Ask } from './http.ts'

/** What a client wants exported, and how it asks. */
export interface Wish {
  /** Of the token. */
  claims: { role: 'ADMIN' | 'PATIENT', sub: string, patient_id?: string }
  level: 'system' | 'patient' | 'group'
  types: string[]
  /** By POST: only these. */
  patients?: string[]
  since?: string | undefined
  profile: 'status-in-body' | 'respond-async' | 'separate-export-status'
  /** Takes the consents that cannot be read, too, so that the export fails. */
  takesUnreadable?: boolean
}

export type State =
  | { kind: 'running', waitMs: number }
  | { kind: 'completed', manifest: Manifest }
  | { kind: 'failed', reason: string }
  | { kind: 'cancelled' }
  /** 404. */
  | { kind: 'gone' }

export class UnexpectedAnswer extends Error {}

/** An export that was answered with 202. */
export interface Accepted { id: string, wish: Wish }

export interface Client {
  kickOff: (wish: Wish) => Promise<Accepted>
  state: (accepted: Accepted) => Promise<State>
  /** Also true where it was deleted before. */
  cancel: (accepted: Accepted) => Promise<void>
  headers: (wish: Wish) => { authorization: string }
}

const prefer = {
  'status-in-body': {}, 'respond-async': { prefer: 'respond-async' },
  'separate-export-status': { prefer: 'respond-async, separate-export-status' },
}
const paths = { system: '/$export', patient: '/Patient/$export', group: `/Group/${groupId}/$export` }

export function createClient (ask: Ask, { origin, secret }: { origin: string, secret: string }): Client {
  const base = `${origin}/fhir/r4`
  const headers = ({ claims }: Wish) => ({ authorization: `Bearer ${signToken(secret, { ...claims }, { lifetimeSeconds: 3_600 })}` })
  const statusUrl = (id: string) => `${base}/$export-status/${id}`

  async function kickOff (wish: Wish): Promise<Accepted> {
    const query = new URLSearchParams({ _type: wish.types.join(',') })
    if (wish.since !== undefined) query.set('_since', wish.since)
    if (wish.types.includes('Consent') && wish.takesUnreadable !== true) query.set('_typeFilter', readableConsents)
    const body = wish.patients === undefined
      ? {}
      : {
          method: 'POST',
          body: JSON.stringify({
            resourceType: 'Parameters',
            parameter: wish.patients.map((id) => ({ name: 'patient', valueReference: { reference: `Patient/${id}` } })),
          }),
        }
    const answer = await ask(`${base}${paths[wish.level]}?${query}`, {
      ...body,
      headers: {
        ...headers(wish), ...prefer[wish.profile], accept: 'application/fhir+json',
        ...(wish.patients === undefined ? {} : { 'content-type': 'application/fhir+json' }),
      },
    })
    const id = answer.headers['content-location']?.slice(statusUrl('').length)
    if (answer.status !== 202 || id === undefined) throw unexpected('kick-off', answer)
    return { id, wish }
  }

  async function state ({ id, wish }: Accepted): Promise<State> {
    const answer = await ask(statusUrl(id), { headers: headers(wish) })
    return toState(answer)
  }

  async function cancel ({ id, wish }: Accepted): Promise<void> {
    const answer = await ask(statusUrl(id), { method: 'DELETE', headers: headers(wish) })
    if (![202, 204, 404].includes(answer.status)) throw unexpected(`DELETE of ${id}`, answer)
  }

  return { kickOff, state, cancel, headers }
}

/** In any profile. */
function toState (answer: Answer): State {
  if (answer.status === 404) return { kind: 'gone' }
  const { status, error, issue, ...rest } =
    JSON.parse(answer.text) as Partial<OperationOutcome> & { status?: string, error?: OperationOutcome }
  const code = Number((answer.headers['x-export-status'] ?? String(answer.status)).slice(0, 3))
  if (code === 202 || status === 'pending' || status === 'in_progress') {
    return { kind: 'running', waitMs: Math.max(1, Number(answer.headers['retry-after'] ?? 1)) * 1_000 }
  }
  if (status === 'cancelled') return { kind: 'cancelled' }
  if (status === 'failed') return { kind: 'failed', reason: toReason(error?.issue) }
  const failure = issue?.[0]?.details?.coding?.[0]?.code
  if (code === 500 && failure === 'export-failed') return { kind: 'failed', reason: toReason(issue) }
  if (code === 200 && issue === undefined) return { kind: 'completed', manifest: { ...rest, error } as unknown as Manifest }
  throw unexpected('status', answer)
}

function toReason (issue: OperationOutcome['issue'] | undefined): string {
  return issue?.[0]?.diagnostics ?? 'without a reason'
}

export function unexpected (what: string, { status, text }: Answer): UnexpectedAnswer {
  return new UnexpectedAnswer(`${what} was answered with ${status}: ${text.slice(0, 300)}`)
}
