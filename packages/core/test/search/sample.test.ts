import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TypedValue } from '@medplum/core'
import { sql } from 'kysely'
import t from 'tap'
import { searchExpressions } from '../../src/r4/index.ts'
import { searchParametersOf, type SearchKind } from '../../src/search/index.ts'
import { openTestDatabase } from '../fixtures/database.ts'
import { evaluate, matches } from '../fixtures/search-evaluator.ts'
import { givenResources, search } from '../fixtures/search.ts'

/** Real-shaped data: folders of `<Type>.ndjson`, parted by colons. */
const folders = (process.env.SAMPLE_DATA ?? '').split(':').filter((folder) => folder !== '')
const mostResources = 300

interface Resource { resourceType: string, id: string, [element: string]: unknown }

async function readResources (): Promise<Map<string, Resource[]>> {
  const found = new Map<string, Map<string, Resource>>()
  for (const folder of folders) {
    for (const name of (await readdir(folder)).filter((name) => name.endsWith('.ndjson'))) {
      for (const line of (await readFile(join(folder, name), 'utf8')).split('\n').filter((line) => line.trim() !== '')) {
        const resource: Resource = JSON.parse(line)
        const ofType = found.get(resource.resourceType) ?? new Map<string, Resource>()
        if (ofType.size < mostResources) ofType.set(resource.id, resource)
        found.set(resource.resourceType, ofType)
      }
    }
  }
  return new Map([...found].map(([type, ofType]) => [type, [...ofType.values()]]))
}

/** Values to ask for, made of one that is there. */
const askFor: Record<SearchKind, (found: TypedValue) => string[]> = {
  token ({ value }) {
    const [coding] = typeof value === 'object' ? value.coding ?? [value] : [{ code: String(value) }]
    const code = coding?.code ?? coding?.value
    return code === undefined
      ? []
      : typeof value !== 'object'
        ? [code]
        : coding.system === undefined
          ? [code, `|${code}`]
          : [code, `${coding.system}|${code}`, `${coding.system}|`]
  },
  date ({ value }) {
    const text: unknown = typeof value === 'object' ? value.start ?? value.end : value
    return typeof text !== 'string' || !/^\d{4}/.test(text)
      ? []
      : ['', 'ge', 'lt', 'gt', 'le', 'ne', 'sa',
          'eb'].flatMap((prefix) => [4, 10].map((length) => `${prefix}${text.slice(0, length)}`))
  },
  string ({ value }) {
    const text: unknown = typeof value === 'string' ? value : value.family ?? value.text ?? value.city
    return typeof text !== 'string'
      ? []
      : [text.slice(0, 3).trim(), text.toUpperCase()].filter((asked) => asked !== '' && !/\p{Cc}/u.test(asked))
  },
  reference ({ value }) {
    const reference: unknown = typeof value === 'string' ? value : value.reference
    return typeof reference !== 'string' || !/^([A-Z]\w+\/[A-Za-z0-9.-]{1,64}|[a-z]+:\S+)$/.test(reference) ? [] : [reference]
  },
  uri: ({ value }) => [value],
  number: () => [],
  quantity: ({ value }) => typeof value.value !== 'number' || value.value < 0 || String(value.value).includes('e')
    ? []
    : ['', 'gt', 'le'].map((prefix) => `${prefix}${value.value}`),
}

function escape (value: string): string {
  return encodeURIComponent(value.replace(/[\\,$]/g, '\\$&'))
}

t.test('of sample data the SQL selects what the evaluator does, by every parameter that has a value there', {
  skip: folders.length === 0 && 'SAMPLE_DATA is not set'
}, async (t) => {
  const db = await openTestDatabase(t)
  let asked = 0
  for (const [type, resources] of await readResources()) {
    await givenResources(db, type, resources)
    if (type === 'Patient') await sql`ANALYZE source.patients`.execute(db)
    for (const [name, { kind }] of searchParametersOf(type)) {
      if (name === '_id' || name === '_lastUpdated' || kind === 'number') continue
      const { expression } = searchExpressions(type).get(name)!
      if (/SampledData|Range| != |\[0\]/.test(expression)) continue // the evaluator does not compare these
      const found = resources.flatMap((resource) => evaluate(expression, resource)).slice(0, 2)
      const values = [...new Set(found.flatMap((value) => askFor[kind](value)))].filter((value) => value.length < 200)
      for (const value of values) {
        const expected = resources.filter((resource) => matches(type, resource, { name, values: [value] })).map(({ id }) => id).sort()
        t.strictSame((await search(db, `${type}?${name}=${escape(value)}`)).sort(), expected, `${type}?${name}=${value}`)
        asked++
      }
    }
  }
  t.not(asked, 0)
  t.comment(`${asked} searches`)
})
