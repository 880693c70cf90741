import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import {
  createExport, findKickOffExcess, type ExportLevel, type ExportParameters, type KickOffExcess, type KickOffLimits, type WireProfile,
} from '@fhir-bulk-export/core/exports'
import type { ApiMetrics } from '@fhir-bulk-export/core/metrics'
import type { ExportQueue } from '@fhir-bulk-export/core/queue'
import { isId } from '@fhir-bulk-export/core/resources'
import { findMemberIds, findPatientIds, isGroup, type CurrentSource, type Source } from '@fhir-bulk-export/core/source'
import { findCallerTraceparent, withSpan } from '@fhir-bulk-export/core/tracing'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import type { Caller } from '../../auth/caller.ts'
import type { ApiConfig } from '../../config.ts'
import { fhirJson } from '../../errors/outcome.ts'
import { namesMediaType } from '../../http/accept.ts'
import { toActor } from '../../http/actor.ts'
import { toStatusUrl } from '../../http/addresses.ts'
import { parsePrefer } from '../../http/prefer.ts'
import { toPathAndQuery } from '../../http/request-target.ts'
import { createLenience, type Lenience } from '../../parameters/lenience.ts'
import { parseKickOff } from '../../parameters/parse.ts'
import type { SentParameter } from '../../parameters/request.ts'
import { chooseProfile } from '../../profiles/index.ts'

export interface KickOffServices { db: Kysely<Database>, source: CurrentSource, queue: ExportQueue, config: ApiConfig, metrics: ApiMetrics }

export interface KickOff {
  level: ExportLevel
  /** At group level. */
  groupId: string | null
  sent: SentParameter[]
}

/** Seconds. When one of the caller's exports will end is not known. */
const tooManyExportsRetryAfter = 60

/** The span is that of the caller's trace, where its request has one. */
export async function startExport (
  services: KickOffServices, kickOff: KickOff, request: FastifyRequest, reply: FastifyReply
): Promise<FastifyReply> {
  const traceparent = findCallerTraceparent(request.headers.traceparent)
  return await withSpan('kick-off', { traceparent, attributes: { 'fhir_bulk_export.level': kickOff.level } }, async () => {
    return await acceptExport(services, kickOff, request, reply)
  })
}

/** From a kick-off request to the export's row and its job (Bulk Data 3.0.0, Bulk Data Kick-off Request). */
async function acceptExport (
  services: KickOffServices, { level, groupId, sent }: KickOff, request: FastifyRequest, reply: FastifyReply
): Promise<FastifyReply> {
  const { db, queue, config, metrics } = services
  const { caller } = request
  const source = await services.source.get()
  if (groupId !== null && !(isId(groupId) && await isGroup(db, source, groupId))) {
    throw new ServiceError('NOT_FOUND', 'There is no such group')
  }
  const preferences = parsePrefer(request.headers.prefer)
  const profile = chooseProfile(preferences)
  if (config.BULK_DATA_STRICT) assertBulkDataHeaders(request.headers, profile)
  const lenience = createLenience(preferences.get('handling')?.toLowerCase() === 'lenient')
  const sourceTypes = source.relations.map(({ type }) => type)
  const { types, parameters } = parseKickOff(sent, { level, sourceTypes, caller, publicUrl: config.PUBLIC_URL, now: new Date(), lenience })

  const id = randomUUID()
  const limits = toLimits(caller, config)
  const result = await createExport(db, {
    id,
    profile,
    level,
    group_id: groupId,
    request: toPathAndQuery(request.originalUrl),
    requester_role: caller.role,
    requester: caller.requester,
    issuer: caller.issuer,
    patient_id: caller.patientId,
    types,
    parameters: await keepKnownPatients(db, source, parameters, groupId, lenience),
    ignored: lenience.getIgnored(),
  }, limits, toActor(request))
  if (!result.created) throw toLimitError(result.excess, limits)
  metrics.accepted.inc({ level })
  request.log.info({ exportId: id, role: caller.role, level, types }, 'export accepted')
  try {
    await queue.enqueue(id)
  } catch (err) {
    // The row is the promise: a worker's reconciler finds the export without a job.
    metrics.enqueueFailures.inc()
    request.log.warn({ err, exportId: id }, 'the export is accepted and could not be enqueued')
  }
  if (profile === 'separate-export-status') reply.header('Preference-Applied', 'respond-async, separate-export-status')
  return await reply.code(202).header('Content-Location', toStatusUrl(config.PUBLIC_URL, id)).send()
}

/**
 * BULK_DATA_STRICT. Bulk Data 3.0.0: a server MAY refuse a kick-off without these headers, which clients SHOULD send.
 * @throws ServiceError MALFORMED_REQUEST
 */
function assertBulkDataHeaders (headers: IncomingHttpHeaders, profile: WireProfile): void {
  if (!namesMediaType(headers.accept, fhirJson)) throw new ServiceError('MALFORMED_REQUEST', `The Accept header must name ${fhirJson}`)
  if (profile === 'status-in-body') throw new ServiceError('MALFORMED_REQUEST', 'The Prefer header must name respond-async')
}

/**
 * For a kick-off that would be refused in the end: before its body is read, and the source for it.
 * @throws ServiceError TOO_MANY_EXPORTS
 */
export async function assertBelowLimits ({ db, config }: KickOffServices, caller: Caller): Promise<void> {
  const limits = toLimits(caller, config)
  const excess = await findKickOffExcess(db, caller.requester, limits)
  if (excess !== undefined) throw toLimitError(excess, limits)
}

/** A registered client may have limits of its own. */
function toLimits (
  { client }: Caller, { MAX_ACTIVE_EXPORTS: maxActive, MAX_KICK_OFFS_PER_MINUTE: maxPerMinute }: ApiConfig
): KickOffLimits {
  return { maxActive: client?.max_active_exports ?? maxActive, maxPerMinute: client?.max_kick_offs_per_minute ?? maxPerMinute }
}

function toLimitError (excess: KickOffExcess, { maxActive, maxPerMinute }: KickOffLimits): ServiceError {
  const [message, retryAfter] = excess.limit === 'active'
    ? [`${maxActive} exports are under way already: wait for one to end, or cancel it`, tooManyExportsRetryAfter]
    : [`${maxPerMinute} exports were started within a minute: wait as Retry-After says`, excess.retryAfter]
  return new ServiceError('TOO_MANY_EXPORTS', message, { retryAfter })
}

/** Bulk Data 3.0.0, Query Parameters (`patient`): unknown patients, and at group level patients who are no members, SHOULD be an error. */
async function keepKnownPatients (
  db: Kysely<Database>, source: Source, parameters: ExportParameters, groupId: string | null, lenience: Lenience
): Promise<ExportParameters> {
  const { patient: ids } = parameters
  if (ids === undefined) return parameters
  const known = groupId === null ? await findPatientIds(db, source, ids) : await findMemberIds(db, source, groupId, ids)
  const unknown = ids.length - known.size
  if (unknown > 0) {
    const problem = `${unknown === 1 ? 'is' : 'are'} ${groupId === null ? 'unknown' : 'not in the group'}`
    lenience.refuseUnlessLenient(`patient: ${unknown} of ${ids.length} patients ${problem}`, 'INVALID_PARAMETER')
  }
  return { ...parameters, patient: ids.filter((id) => known.has(id)) }
}
