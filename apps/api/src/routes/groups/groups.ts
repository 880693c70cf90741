import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { isId } from '@fhir-bulk-export/core/resources'
import { findGroupLine, findGroupLines } from '@fhir-bulk-export/core/source'
import type { CurrentSource, GroupLine } from '@fhir-bulk-export/core/source'
import { Type } from '@sinclair/typebox'
import type { FastifyBaseLogger } from 'fastify'
import type { Bundle } from 'fhir/r4.js'
import type { Kysely } from 'kysely'
import type { ApiConfig } from '../../config.ts'
import { fhirJson } from '../../errors/outcome.ts'
import { quote } from '../../http/quote.ts'
import { requireAdmin, requireGroupScope, requireOwnGroup } from '../require-admin.ts'

/** Groups of a page, and members of all of them together: a group for which there is no room has none, and can be read by itself. */
const pageSize = 100
const maxListedMembers = 1_000
/** Of the link to the next page, whose address means nothing to a client (http://hl7.org/fhir/R4/http.html#paging): the id before it. */
const pageParameter = '_after'

// Both are sent as JSON text.
const groupSchema = Type.Unsafe<string>(Type.Object({ resourceType: Type.Literal('Group') }, { additionalProperties: true, description: 'A Group' }))
const bundleSchema = Type.Unsafe<string>(Type.Object({ resourceType: Type.Literal('Bundle') }, { additionalProperties: true, description: 'A searchset of Groups' }))
const noQuery = Type.Record(Type.String(), Type.Unknown())

/** Bulk Data 3.0.0, Server Capability Documentation: SHOULD support read and search of Group. */
export const groups: FastifyPluginAsyncTypebox<{ db: Kysely<Database>, source: CurrentSource, config: ApiConfig }> = async function groups (app, { db, source, config }) {
  const base = `${config.PUBLIC_URL}/fhir/r4/Group`

  app.get('/Group', {
    onRequest: [requireAdmin, requireGroupScope],
    schema: { tags: ['Groups'], summary: 'The groups there are', querystring: noQuery, response: { 200: bundleSchema } },
    handler: async function listGroups (request, reply) {
      const { [pageParameter]: after, ...others } = request.query
      const [parameter] = Object.keys(others)
      if (after !== undefined && (typeof after !== 'string' || after.includes('\0'))) throw new ServiceError('INVALID_PARAMETER', 'The address of the page is not one that a page before it gave')
      if (parameter !== undefined) throw new ServiceError('UNSUPPORTED_PARAMETER', `Unknown parameter ${quote(parameter)}: groups are listed as they are`)
      const found = await findGroupLines(db, await source.get(), { among: request.caller.client?.group_ids ?? null, after, limit: pageSize + 1, maxMembers: maxListedMembers })
      const page = found.slice(0, pageSize)
      const next = found.length > pageSize ? page.at(-1)?.id : undefined
      return await reply.header('Cache-Control', 'no-store').type(fhirJson).send(toSearchset(page.filter((line) => isReadable(line, request.log)), base, { after, next }))
    },
  })

  app.get('/Group/:id', {
    onRequest: [requireAdmin, requireGroupScope, requireOwnGroup],
    schema: { tags: ['Groups'], summary: 'A group and its members', params: Type.Object({ id: Type.String() }), response: { 200: groupSchema } },
    handler: async function readGroup (request, reply) {
      const { id } = request.params
      const group = isId(id) ? await findGroupLine(db, await source.get(), id) : undefined
      if (group === undefined || !isReadable(group, request.log)) throw new ServiceError('NOT_FOUND', 'There is no such group')
      return await reply.header('Cache-Control', 'no-store').type(fhirJson).send(group.json)
    },
  })
}

type ReadableGroup = Extract<GroupLine, { json: string }>

/** JSON of http://hl7.org/fhir/R4/bundle.html#searchset. The groups are put in as they are: decimals would lose digits as numbers. */
function toSearchset (found: ReadableGroup[], base: string, { after, next }: { after: string | undefined, next: string | undefined }): string {
  const toUrl = (id: string | undefined) => id === undefined ? base : `${base}?${pageParameter}=${encodeURIComponent(id)}`
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(after === undefined && next === undefined ? { total: found.length } : {}),
    link: [{ relation: 'self', url: toUrl(after) }, ...(next === undefined ? [] : [{ relation: 'next', url: toUrl(next) }])],
  }
  if (found.length === 0) return JSON.stringify(bundle)
  const entries = found.map(({ id, json }) => `{"fullUrl":"${base}/${id}","resource":${json},"search":{"mode":"match"}}`)
  return `${JSON.stringify(bundle).slice(0, -1)},"entry":[${entries.join()}]}`
}

/** False of a row that cannot make a Group: for the log, as it is not the client's doing. */
function isReadable (line: GroupLine, log: FastifyBaseLogger): line is ReadableGroup {
  if ('issue' in line) log.warn({ group: line.issue.id, problem: `${line.issue.path} ${line.issue.problem}` }, 'a group cannot be read')
  return 'json' in line
}
