import { basename } from 'node:path'
import t from 'tap'
import { parseExact } from '../../src/resources/exact-json.ts'
import { createLineWriter } from '../../src/resources/index.ts'
import { readSource } from '../../src/source/index.ts'
import { findFiles } from '../../src/load/find-files.ts'
import { readTexts } from '../../src/load/read-files.ts'
import { findDifferences } from '../fixtures/find-differences.ts'
import { toRow } from '../fixtures/lines.ts'
import { createLoadTest } from '../fixtures/load.ts'

/*
 * Whatever is loaded comes back as it was: value by value, and numbers digit by digit. SAMPLE_DATA: folders of further samples, joined by
 * colons; of these the resources that are no valid R4 are named, and do not fail the test.
 */

const own = `${import.meta.dirname}/../fixtures/sample-data`
const folders = [own, ...(process.env.SAMPLE_DATA?.split(':') ?? [])]

interface Resource { resourceType: string, id?: string, meta?: Record<string, unknown> }

for (const folder of folders) {
  t.test(`what is loaded from ${basename(folder)} comes back as it was`, async t => {
    const { loadAll, pool } = await createLoadTest(t)
    const { problems, types } = await loadAll(folder)
    if (folder === own) t.strictSame(problems, [])
    for (const { file, line, problem } of problems) t.comment(`${file}:${line}: ${problem}`)

    const exported = new Map<string, Resource>()
    const { relations, problems: sourceProblems } = await readSource(pool)
    t.strictSame(sourceProblems, [])
    for (const relation of relations) {
      const writer = createLineWriter(relation, { mrnSystem: undefined, attachmentBaseUrls: [], elements: [] },
        issue => { t.fail(JSON.stringify(issue)) })
      const {
        rows,
      } = await pool.query<Record<string, unknown>>(`SELECT id, updated_at, resource::text AS resource FROM source.${relation.relation}`)
      for (const row of rows) {
        const line = { bytes: Buffer.alloc(1024), size: 0 }
        const issue = writer.write(toRow(writer, relation,
          { ...row, updated_at: row.updated_at instanceof Date ? row.updated_at.toISOString() : '' }), line)
        if (issue !== undefined) t.fail(JSON.stringify(issue))
        else exported.set(`${relation.type}/${String(row.id)}`, parseExact(line.bytes.toString('utf8', 0, line.size)) as Resource)
      }
    }

    const rejected = new Set(problems.map(({ file, line }) => `${folder}/${file}:${line}`))
    let compared = 0
    const loaded = new Map<string, Array<{ resource: Resource, place: string }>>()
    for (const { path } of await findFiles([folder])) {
      if (path.endsWith('.json')) continue // a Bundle's entries have a test of their own
      for await (const text of readTexts(path, () => {})) {
        if ('problem' in text || rejected.has(`${path}:${text.line}`)) continue
        const resource = parseExact(text.bytes.toString()) as Resource
        const key = `${resource.resourceType}/${resource.id}`
        loaded.set(key, [...loaded.get(key) ?? [], { resource, place: `${path}:${text.line}` }])
      }
    }
    for (const [key, versions] of loaded) {
      const received = exported.get(key)
      // Of files that are read at once, any may be the last one with an id.
      const differences = versions.map(({ resource, place }) => ({
        place, paths: received === undefined ? ['is missing'] : findDifferences(withoutOwn(resource), withoutOwn(received)),
      }))
      if (differences.every(({ paths }) => paths.length > 0)) t.strictSame(differences, [])
      compared++
    }
    const counted = [...types.values()].reduce((sum, counts) => sum + counts.loaded, 0)
    t.ok(compared > 0 && compared <= counted, `${compared} resources compared`)
  })
}

/** `meta.lastUpdated` says when the row was written. */
function withoutOwn ({ meta = {}, ...rest }: Resource): object {
  const { lastUpdated: _, ...others } = meta
  return Object.keys(others).length === 0 ? rest : { ...rest, meta: others }
}

t.test('the comparison sees digits, order and what is missing, and not the order of properties', async t => {
  const given = parseExact('{"a":10.00,"b":[1,{"c":"x"}],"d":12345678901234567890}')
  const differences = (text: string) => findDifferences(given, parseExact(text))
  t.strictSame(differences('{"b":[1,{"c":"x"}],"d":12345678901234567890,"a":10.00}'), [])
  t.strictSame(differences('{"a":10.0,"b":[1,{"c":"x"}],"d":12345678901234567891}'), ['a', 'd'])
  t.strictSame(differences('{"a":10.00,"b":[{"c":"x"},1],"d":12345678901234567890}'), ['b.0', 'b.1'])
  t.strictSame(differences('{"a":10.00,"b":[1,{}],"d":12345678901234567890,"e":null}'), ['b.1.c', 'e'])
})
