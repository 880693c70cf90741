import type { Database } from '@fhir-bulk-export/core/db'
import { sql, type Kysely, type KyselyPlugin } from 'kysely'
import t from 'tap'
import { startApi, type Api } from '../../fixtures/api.ts'
import { admin, statusPath } from '../../fixtures/exports.ts'
import { post, type Part, type Post } from '../../fixtures/kick-off.ts'
import { bearer } from '../../fixtures/token.ts'

/**
 * Whatever a caller makes ten times as long costs no more than it costs to send: the statements stay as few, what is stored and
 * what is answered stay below what was sent, and beyond a limit it is a 400 that names what there is too much of.
 */

/** Of a kick-off that may start something: a row, what the limits ask, what the source is asked, and a transaction around it. */
const maxStatements = 10
/** What any row and any answer has beside what was sent. */
const ownBytes = 6_000

const sizes = [30, 300, 3_000, 30_000]

const times = (n: number, toText: (i: number) => string) => Array.from({ length: n }, (_, i) => toText(i))
const text = (name: string, value: string): Part => ({ name, valueString: value })
const lenient = { prefer: 'respond-async, handling=lenient' }

interface Input {
  /** Asked with so many of something. */
  of: (n: number) => Post
  /** Accepted up to here, and refused beyond. */
  most: number
  /** What a refusal names. */
  names: RegExp
}

const inputs: Record<string, Input> = {
  'the same _type, repeated': {
    of: (n) => ({ parts: times(n, () => 'Patient').map((type) => text('_type', type)) }), most: 6_000, names: /parameters/,
  },
  'the same _type, with commas': {
    of: (n) => ({ parts: [text('_type', times(n, () => 'Patient').join())] }), most: Infinity, names: /_type/,
  },
  'unknown types, lenient': {
    of: (n) => ({ ...lenient, parts: [text('_type', times(n, (i) => `X${i}`).join())] }), most: 200, names: /_type/,
  },
  'unknown elements, lenient': {
    of: (n) => ({ ...lenient, parts: [text('_elements', times(n, (i) => `a${i}`).join())] }), most: 500, names: /_elements/,
  },
  'unknown elements of unknown types, lenient': {
    of: (n) => ({ ...lenient, parts: [text('_elements', times(n, (i) => `X${i}.a`).join())] }), most: 500, names: /_elements/,
  },
  'unknown parameters, lenient': {
    of: (n) => ({ ...lenient, parts: times(n, (i) => `p${i}`).map((name) => text(name, '')) }), most: 6_000, names: /parameters/,
  },
  'the same id in a filter': {
    of: (n) => ({ parts: [text('_typeFilter', `Patient?_id=${times(n, () => 'a').join()}`)] }), most: Infinity, names: /_typeFilter/,
  },
  'ids in a filter': {
    of: (n) => ({ parts: [text('_typeFilter', `Patient?_id=${times(n, (i) => `a${i}`).join()}`)] }),
    most: 500,
    names: /_typeFilter has \d+ values/,
  },
  'identifiers in a filter': {
    of: (n) => ({ parts: [text('_typeFilter', `Patient?identifier=${times(n, (i) => `a${i}`).join()}`)] }),
    most: 500,
    names: /_typeFilter has \d+ values/,
  },
  'dates in a filter': {
    of: (n) => ({ parts: [text('_typeFilter', `Patient?birthdate=${times(n, (i) => `${1000 + i % 9_000}`).join()}`)] }),
    most: 500,
    names: /_typeFilter has \d+ values/,
  },
  'conditions of a filter': {
    of: (n) => ({ parts: [text('_typeFilter', `Patient?${times(n, (i) => `_id=a${i}`).join('&')}`)] }),
    most: 100,
    names: /_typeFilter has \d+ conditions/,
  },
  filters: { of: (n) => ({ parts: [text('_typeFilter', times(n, (i) => `Patient?_id=a${i}`).join())] }), most: 50, names: /_typeFilter/ },
  'filters that are not supported, lenient': {
    of: (n) => ({ ...lenient, parts: [text('_typeFilter', times(n, (i) => `Patient?a=${i}`).join())] }), most: 50, names: /_typeFilter/,
  },
  'associated data that is not known, lenient': {
    of: (n) => ({ ...lenient, parts: [text('includeAssociatedData', times(n, (i) => `a${i}`).join())] }),
    most: 10,
    names: /includeAssociatedData/,
  },
  'unknown patients, lenient': {
    of: (n) => ({
      ...lenient, parts: times(n, (i) => `Patient/${i}`).map((reference) => ({ name: 'patient', valueReference: { reference } })),
    }),
    most: 5_000,
    names: /patient|parameters/,
  },
  'values of one parameter': {
    of: (n) => ({ parts: [Object.assign({ name: '_type' }, ...times(n, (i) => `v${i}`).map((name) => ({ [name]: 1 })))] }),
    most: 0,
    names: /_type must be given as/,
  },
  'depth of a body': {
    of: (n) => ({ payload: `{"resourceType":"Parameters","a":${'['.repeat(n)}${']'.repeat(n)}}` }), most: Infinity, names: /body/,
  },
  preferences: { of: (n) => ({ prefer: times(Math.min(n, 1_500), (i) => `p${i}`).join(), parts: [] }), most: Infinity, names: /./ },
}

/** Counts what is asked of the database. */
function countStatements (db: Kysely<Database>, count: () => void): Kysely<Database> {
  const plugin: KyselyPlugin = {
    transformQuery ({ node }) {
      count()
      return node
    },
    transformResult: async ({ result }) => result,
  }
  return db.withPlugin(plugin)
}

const bytesOf = (value: unknown) => Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value))

async function readStored ({ db }: Api): Promise<{ rows: number, bytes: number }> {
  const { rows: [stored] } = await sql<{ rows: number, bytes: number }>`
    SELECT count(*) AS rows, coalesce(sum(octet_length(job::text)), 0)::bigint AS bytes FROM bulk_export_jobs AS job`.execute(db)
  return stored ?? { rows: NaN, bytes: NaN }
}

t.test('ten times as much costs no more than it costs to send', async (t) => {
  let statements = 0
  const api = await startApi(t, {
    environment: { MAX_ACTIVE_EXPORTS: '1000', MAX_KICK_OFFS_PER_MINUTE: '1000' },
    wrap: ({ db }) => ({ db: countStatements(db, () => { statements++ }) }),
  })
  for (const [what, { of, most, names }] of Object.entries(inputs)) {
    for (const n of sizes) {
      const asked = of(n)
      const sent = bytesOf(asked)
      const before = await readStored(api)
      statements = 0
      const response = await post(api, asked)
      const about = `${n} ${what}`
      t.ok(statements <= maxStatements, `${about}: ${statements} statements`)
      t.ok(bytesOf(response.body) <= sent + ownBytes, `${about}: ${bytesOf(response.body)} bytes answered to ${sent}`)
      t.ok(
        n <= most ? response.statusCode === 202 : response.statusCode === 400 || response.statusCode === 413,
        `${about}: ${response.statusCode} ${response.body.slice(0, 300)}`
      )
      if (response.statusCode === 400) t.match(response.json().issue[0].diagnostics, names, about)

      const after = await readStored(api)
      t.equal(after.rows - before.rows, response.statusCode === 202 ? 1 : 0, about)
      t.ok(after.bytes - before.bytes <= sent + ownBytes, `${about}: ${after.bytes - before.bytes} bytes stored of ${sent}`)
      if (response.statusCode !== 202) continue
      statements = 0
      const status = await api.app.inject({
        url: statusPath(String(response.headers['content-location']).slice(-36)), headers: bearer(admin),
      })
      // The export, the workers, and now and then a slice of what the caller may ask in a minute.
      t.ok(statements <= 3 && bytesOf(status.body) <= ownBytes, `${about}: its status`)
    }
  }
  const list = await api.app.inject({ url: '/fhir/r4/$export-status', headers: bearer(admin) })
  t.equal(list.statusCode, 200)
  t.ok(bytesOf(list.body) <= 100 * 1_000, 'the list says nothing of what was asked for but its address')
})
