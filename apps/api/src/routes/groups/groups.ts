import { parse } from 'node:querystring'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { toFhirBase } from '@fhir-bulk-export/core/fhir-base'
import { isId } from '@fhir-bulk-export/core/resources'
import { countGroups, findGroupLine, findGroupLines, type CurrentSource, type GroupLine } from '@fhir-bulk-export/core/source'
import { Type } from '@sinclair/typebox'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import type { ApiConfig } from '../../config.ts'
import { fhirJson } from '../../errors/outcome.ts'
import { removeGeneralParameters } from '../../http/general-parameters.ts'
import { toAnswer } from '../../openapi/answer.ts'
import { acceptHeaders } from '../../openapi/headers.ts'
import { requireAdmin, requireGroupScope, requireAllowedGroup } from '../require-admin.ts'
import { parseGroupSearch, toGroupFilter } from './search.ts'
import { toSearchset } from './searchset.ts'

/** Of all groups of a page together. Groups beyond it come without members, and can be read one by one. */
const maxListedMembers = 1_000
/** As much as a query may have. */
const maxFormBytes = 16 * 1024

// Both are sent as JSON text.
const toTextOf = (title: 'Group' | 'Bundle') =>
  Type.Unsafe<string>(Type.Object({ resourceType: Type.Literal(title) }, { title, additionalProperties: true }))
const groupSchema = toTextOf('Group')
const bundleSchema = toTextOf('Bundle')
const foundGroups = { 200: toAnswer('A searchset of Groups', fhirJson, bundleSchema) }
const values = (description: string) => Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())], { description }))
const search = Type.Object({
  _id: values('The id of a group, or several ids, comma-separated'),
  identifier: values('`value`, `system|value`, `|value` or `system|`'),
  name: values('What the name begins with, whatever case and accents; `name:exact`, `name:contains`'),
  _count: values('Groups of a page, 100 at most'),
}, { additionalProperties: Type.Union([Type.String(), Type.Array(Type.String())]) })

const form = 'application/x-www-form-urlencoded'
const searchSchema = { tags: ['Groups'], querystring: search, headers: acceptHeaders, response: foundGroups }
const readSchema = {
  tags: ['Groups'],
  operationId: 'getGroup',
  summary: 'A group and its members',
  params: Type.Object({ id: Type.String() }),
  headers: acceptHeaders,
  response: { 200: toAnswer('The group', fhirJson, groupSchema) },
}

interface GroupsOptions { db: Kysely<Database>, source: CurrentSource, config: ApiConfig }

/** Bulk Data 3.0.0, Server Capability Documentation: SHOULD support read and search of Group. */
export const groups: FastifyPluginAsyncTypebox<GroupsOptions> = async function groups (app, { db, source, config }) {
  const base = `${toFhirBase(config.PUBLIC_URL)}/Group`
  const onRequest = [requireAdmin, requireGroupScope]
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>(form, { parseAs: 'string', bodyLimit: maxFormBytes }, parseForm)

  app.route({
    method: ['GET', 'HEAD'],
    url: '/Group',
    onRequest,
    schema: { ...searchSchema, operationId: 'getGroups', summary: 'The groups there are, or those that fit a search' },
    handler: async function searchByQuery (request, reply) {
      return await sendGroups([request.query], request, reply)
    },
  })

  app.route({
    method: 'POST',
    url: '/Group/_search',
    onRequest,
    schema: { ...searchSchema, operationId: 'searchGroups', summary: 'The same, by a form', consumes: [form], body: search },
    preValidation: async function takeForm (request) {
      request.body = request.body === undefined ? {} : removeGeneralParameters(request.body)
    },
    handler: async function searchByForm (request, reply) {
      return await sendGroups([request.query, request.body], request, reply)
    },
  })

  app.route({
    method: ['GET', 'HEAD'],
    url: '/Group/:id',
    onRequest: [...onRequest, requireAllowedGroup],
    schema: readSchema,
    handler: async function readGroup (request, reply) {
      const { id } = request.params
      const group = isId(id) ? await findGroupLine(db, await source.get(), id) : undefined
      if (group === undefined || !isReadable(group, request.log)) throw new ServiceError('NOT_FOUND', 'There is no such group')
      return await reply.header('Cache-Control', 'no-store').type(fhirJson).send(group.json)
    },
  })

  async function sendGroups (
    given: Parameters<typeof parseGroupSearch>, { caller }: FastifyRequest, reply: FastifyReply
  ): Promise<FastifyReply> {
    const asked = parseGroupSearch(...given)
    const current = await source.get()
    const chosen = { filter: toGroupFilter(asked.criteria, current), among: caller.client?.group_ids ?? null }
    const { count, after } = asked
    const found = count === 0 ? [] : await findGroupLines(db, current, { ...chosen, after, limit: count + 1, maxMembers: maxListedMembers })
    const page = found.slice(0, count)
    const readable = page.filter((line) => isReadable(line, reply.log))
    const next = found.length > count ? page.at(-1)?.id : undefined
    const isWhole = after === undefined && next === undefined
    const total = count === 0 ? await countGroups(db, current, chosen) : isWhole ? readable.length : undefined
    return await reply.header('Cache-Control', 'no-store').type(fhirJson).send(toSearchset(base, asked, { found: readable, total, next }))
  }
}

async function parseForm (_request: unknown, body: string) {
  return { ...parse(body) }
}

type ReadableGroup = Extract<GroupLine, { json: string }>

/** A row that cannot make a Group is logged: the client can do nothing about it. */
function isReadable (line: GroupLine, log: FastifyBaseLogger): line is ReadableGroup {
  if ('issue' in line) log.warn({ group: line.issue.id, problem: `${line.issue.path} ${line.issue.problem}` }, 'a group cannot be read')
  return 'json' in line
}
