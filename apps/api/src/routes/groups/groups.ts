import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { ElementError, isId, toGroup } from '@fhir-bulk-export/core/fhir'
import { findGroup, findGroups } from '@fhir-bulk-export/core/source'
import type { StoredGroup } from '@fhir-bulk-export/core/source'
import { Type } from '@sinclair/typebox'
import type { FastifyBaseLogger } from 'fastify'
import type { Bundle, Group } from 'fhir/r4.js'
import type { Kysely } from 'kysely'
import type { ApiConfig } from '../../config.ts'
import { fhirJson } from '../../errors/outcome.ts'
import { quote } from '../../http/quote.ts'
import { requireAdmin, requireGroupScope } from '../require-admin.ts'

/** Groups of a page, and members of all of them together: a group for which there is no room has none, and can be read by itself. */
const pageSize = 100
const maxListedMembers = 1_000
/** Of the link to the next page, whose address means nothing to a client (http://hl7.org/fhir/R4/http.html#paging): the id before it. */
const pageParameter = '_after'

const groupSchema = Type.Object({ resourceType: Type.Literal('Group') }, { additionalProperties: true, description: 'A Group of persons' })
const bundleSchema = Type.Object({ resourceType: Type.Literal('Bundle') }, { additionalProperties: true, description: 'A searchset of Groups' })
const noQuery = Type.Record(Type.String(), Type.Unknown())

/** Bulk Data 3.0.0, Server Capability Documentation: SHOULD support read and search of Group. */
export const groups: FastifyPluginAsyncTypebox<{ db: Kysely<Database>, config: ApiConfig }> = async function groups (app, { db, config }) {
  const base = `${config.PUBLIC_URL}/fhir/r4/Group`

  app.get('/Group', {
    onRequest: [requireAdmin, requireGroupScope],
    schema: { tags: ['Groups'], summary: 'The groups there are', querystring: noQuery, response: { 200: bundleSchema } },
    handler: async function listGroups (request, reply) {
      const { [pageParameter]: after, ...others } = request.query
      const [parameter] = Object.keys(others)
      if (after !== undefined && (typeof after !== 'string' || after.includes('\0'))) throw new ServiceError('INVALID_PARAMETER', 'The address of the page is not one that a page before it gave')
      if (parameter !== undefined) throw new ServiceError('UNSUPPORTED_PARAMETER', `Unknown parameter ${quote(parameter)}: groups are listed as they are`)
      const found = await findGroups(db, { after, limit: pageSize + 1, maxMembers: maxListedMembers })
      const page = found.slice(0, pageSize)
      const next = found.length > pageSize ? page.at(-1)?.group.id ?? undefined : undefined
      return await reply.header('Cache-Control', 'no-store').type(fhirJson).send(toSearchset(page.flatMap((stored) => toReadable(stored, request.log) ?? []), base, { after, next }))
    },
  })

  app.get('/Group/:id', {
    onRequest: [requireAdmin, requireGroupScope],
    schema: { tags: ['Groups'], summary: 'A group and its members', params: Type.Object({ id: Type.String() }), response: { 200: groupSchema } },
    handler: async function readGroup (request, reply) {
      const { id } = request.params
      const stored = isId(id) ? await findGroup(db, id) : undefined
      const group = stored === undefined ? undefined : toReadable(stored, request.log)
      if (group === undefined) throw new ServiceError('NOT_FOUND', 'There is no such group')
      return await reply.header('Cache-Control', 'no-store').type(fhirJson).send(group)
    },
  })
}

/** http://hl7.org/fhir/R4/bundle.html#searchset */
function toSearchset (found: Group[], base: string, { after, next }: { after: string | undefined, next: string | undefined }): Bundle<Group> {
  const toUrl = (id: string | undefined) => id === undefined ? base : `${base}?${pageParameter}=${encodeURIComponent(id)}`
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(after === undefined && next === undefined ? { total: found.length } : {}),
    link: [{ relation: 'self', url: toUrl(after) }, ...(next === undefined ? [] : [{ relation: 'next', url: toUrl(next) }])],
    ...(found.length === 0 ? {} : { entry: found.map((resource) => ({ fullUrl: `${base}/${resource.id}`, resource, search: { mode: 'match' } })) }),
  }
}

/** Undefined for a row that cannot make a Group: for the log, as it is not the client's doing. */
function toReadable ({ group, members, memberCount }: StoredGroup, log: FastifyBaseLogger): Group | undefined {
  try {
    return toGroup(group, { rows: members, count: memberCount, warn: (member, problem) => { log.warn({ group: group.id, member, problem }, 'a group member cannot be read') } })
  } catch (error) {
    if (!(error instanceof ElementError)) throw error
    log.warn({ group: group.id, problem: `${error.path} ${error.problem}` }, 'a group cannot be read')
    return undefined
  }
}
