import { randomUUID } from 'node:crypto'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { createExport, findKickOffExcess } from '@fhir-bulk-export/core/exports'
import type { ExportLevel, KickOffExcess, KickOffLimits } from '@fhir-bulk-export/core/exports'
import type { ExportQueue } from '@fhir-bulk-export/core/queue'
import { isId } from '@fhir-bulk-export/core/resources'
import { findMemberIds, findPatientIds, isGroup } from '@fhir-bulk-export/core/source'
import type { CurrentSource, Source } from '@fhir-bulk-export/core/source'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import type { Caller } from '../../auth/caller.ts'
import type { ApiConfig } from '../../config.ts'
import { toActor } from '../../http/actor.ts'
import { toPathAndQuery } from '../../http/request-target.ts'
import type { Given } from './parameters/given.ts'
import { parseKickOff } from './parameters/parse.ts'
import { createRefusal } from './parameters/refusal.ts'
import type { Refusal } from './parameters/refusal.ts'
import { assertBulkDataHeaders, toPreferences } from './preferences.ts'

export interface KickOffServices { db: Kysely<Database>, source: CurrentSource, queue: ExportQueue, config: ApiConfig }

export interface Asked {
  level: ExportLevel
  /** At group level. */
  groupId: string | null
  given: Given[]
}

/** Seconds. When one of the caller's exports will end is anybody's guess. */
const tooManyExportsRetryAfter = 60

/** From a kick-off request to the export's row and its job (Bulk Data 3.0.0, Bulk Data Kick-off Request). */
export async function startExport ({ db, source, queue, config }: KickOffServices, { level, groupId, given }: Asked, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { caller } = request
  const currentSource = await source.get()
  if (groupId !== null && !(isId(groupId) && await isGroup(db, currentSource, groupId))) throw new ServiceError('NOT_FOUND', 'There is no such group')
  const preferences = toPreferences(request.headers)
  if (config.BULK_DATA_STRICT) assertBulkDataHeaders(request.headers, preferences)
  const { wireProfile, isLenient } = preferences
  const refusal = createRefusal(isLenient)
  const { types, since, until, elements, typeFilters, associatedData, patientIds } = parseKickOff(given, {
    level, sourceTypes: currentSource.relations.map(({ type }) => type), caller, publicUrl: config.PUBLIC_URL, now: new Date(), refusal,
  })
  const knownPatientIds = patientIds === null ? null : await keepKnown(db, currentSource, patientIds, groupId, refusal)

  const id = randomUUID()
  const limits = toLimits(caller, config)
  const result = await createExport(db, {
    id,
    wire_profile: wireProfile,
    level,
    group_id: groupId,
    request: toPathAndQuery(request.originalUrl),
    requester_role: caller.role,
    requester: caller.requester,
    issuer: caller.issuer,
    patient_id: caller.patientId,
    patient_ids: knownPatientIds,
    types,
    since,
    until,
    elements,
    type_filters: typeFilters,
    associated_data: associatedData,
    ignored: refusal.ignored(),
  }, limits, toActor(request))
  if (!result.created) throw toRefusal(result.excess, limits)
  request.log.info({ exportId: id, role: caller.role, level, types }, 'export accepted')
  try {
    await queue.enqueue(id)
  } catch (err) {
    // The export's row is the promise, the queue a doorbell: a worker's reconciler finds the export all the same.
    request.log.warn({ err, exportId: id }, 'the export is accepted and could not be enqueued')
  }
  if (wireProfile === 'separate-export-status') reply.header('Preference-Applied', 'respond-async, separate-export-status')
  return await reply.code(202).header('Content-Location', `${config.PUBLIC_URL}/fhir/r4/$export-status/${id}`).send()
}

/**
 * For a kick-off that would be refused in the end: before its body is read, and the source for it.
 * @throws ServiceError TOO_MANY_EXPORTS
 */
export async function assertBelowLimits ({ db, config }: KickOffServices, caller: Caller): Promise<void> {
  const limits = toLimits(caller, config)
  const excess = await findKickOffExcess(db, caller.requester, limits)
  if (excess !== undefined) throw toRefusal(excess, limits)
}

/** A registered client may have limits of its own. */
function toLimits ({ client }: Caller, { MAX_ACTIVE_EXPORTS: maxActive, MAX_KICK_OFFS_PER_MINUTE: maxPerMinute }: ApiConfig): KickOffLimits {
  return { maxActive: client?.max_active_exports ?? maxActive, maxPerMinute: client?.max_kick_offs_per_minute ?? maxPerMinute }
}

function toRefusal (excess: KickOffExcess, { maxActive, maxPerMinute }: KickOffLimits): ServiceError {
  return excess.limit === 'active'
    ? new ServiceError('TOO_MANY_EXPORTS', `${maxActive} exports are under way already: wait for one to end, or cancel it`, { retryAfter: tooManyExportsRetryAfter })
    : new ServiceError('TOO_MANY_EXPORTS', `${maxPerMinute} exports were started within a minute: wait as Retry-After says`, { retryAfter: excess.retryAfter })
}

/** Bulk Data 3.0.0, Query Parameters (`patient`): unknown patients, and at group level those who are no members, SHOULD be an error. */
async function keepKnown (db: Kysely<Database>, source: Source, ids: string[], groupId: string | null, { refuse }: Refusal): Promise<string[]> {
  const known = groupId === null ? await findPatientIds(db, source, ids) : await findMemberIds(db, source, groupId, ids)
  const unknown = ids.length - known.size
  if (unknown > 0) {
    const what = groupId === null ? 'unknown' : 'not in the group'
    refuse(`patient: ${unknown} of ${ids.length} patients ${unknown === 1 ? 'is' : 'are'} ${what}`, 'INVALID_PARAMETER')
  }
  return ids.filter((id) => known.has(id))
}
