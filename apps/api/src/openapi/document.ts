/* What the framework's OpenAPI document needs to become one that clients can be generated from. */

interface Operation { operationId?: string, requestBody?: object, responses?: Record<string, object> }

interface Document {
  components?: object
  paths?: Record<string, { get?: Operation, post?: Operation, head?: Operation } | undefined>
}

/** Changes the document in place, and returns it. */
export function complete<T extends Document> (document: T): T {
  for (const path of Object.values(document.paths ?? {})) {
    // swagger takes any body for a required one
    if (path?.post?.requestBody !== undefined) Object.assign(path.post.requestBody, { required: false })
    if (path?.head !== undefined) path.head = toHead(path.head)
  }
  const schemas = new Map<string, unknown>()
  const paths = hoist(document.paths, schemas)
  const sorted = [...schemas].sort(([a], [b]) => a < b ? -1 : 1)
  return Object.assign(document, { paths, components: { ...document.components, schemas: Object.fromEntries(sorted) } })
}

/** The same schema describes GET and HEAD: each has an operation of its own, and HEAD no body. */
function toHead ({ operationId, responses = {}, ...get }: Operation): Operation {
  const bodiless = Object.entries(responses).map(([status, response]) => [status, { ...response, content: undefined }])
  const named = operationId === undefined ? {} : { operationId: operationId.replace(/^get/, 'head') }
  return { ...get, ...named, responses: Object.fromEntries(bodiless) }
}

/**
 * A schema with a title becomes a component of that name, and a reference to it.
 * @throws when two schemas that differ have one title.
 */
function hoist (node: unknown, schemas: Map<string, unknown>): unknown {
  if (Array.isArray(node)) return node.map((item) => hoist(item, schemas))
  if (typeof node !== 'object' || node === null) return node
  const hoisted = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, hoist(value, schemas)]))
  const { title } = hoisted
  if (typeof title !== 'string') return hoisted
  const known = schemas.get(title)
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(hoisted)) throw new Error(`two schemas are called ${title}`)
  schemas.set(title, hoisted)
  return { $ref: `#/components/schemas/${title}` }
}
