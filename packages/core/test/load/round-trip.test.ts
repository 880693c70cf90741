import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import t from 'tap'
import { serializers, type SerializerContext } from '../../src/fhir/index.ts'
import { findFiles } from '../../src/load/find-files.ts'
import { loadFiles } from '../../src/load/index.ts'
import { exportedRelations, exportedTypes } from '../../src/source/index.ts'
import { compareResources } from '../fixtures/compare-resources.ts'
import { readRows } from '../fixtures/read-rows.ts'
import { contextWith } from '../fixtures/rows.ts'
import { openSourceDatabase } from '../fixtures/source-database.ts'
import { findProblems } from '../fixtures/validators.ts'

const folders = [`${import.meta.dirname}/../fixtures/sample-data`, ...(process.env.SAMPLE_DATA ? [process.env.SAMPLE_DATA] : [])]

interface Resource { resourceType: string, id: string, meta?: object }

for (const folder of folders) {
  t.test(`what is loaded from ${basename(folder)} comes back, but for what the loader said it does not hold`, async t => {
    const { url, db } = await openSourceDatabase(t)
    const report = await loadFiles(db, [folder], { onProblem: problem => t.fail(JSON.stringify(problem)) })

    const given = await readResources(folder)
    const context = contextWith({ attachmentBaseUrls: ['https://files.example.org'] })
    const dropped = new Set<string>()
    for (const type of exportedTypes) {
      const serialize = serializers[type] as (row: object, context: SerializerContext) => Resource
      const exported = (await readRows(url, exportedRelations[type])).map(row => serialize(row, context))
      const originals = given.filter(resource => resource.resourceType === type)
      t.strictSame(exported.map(resource => resource.id), originals.map(resource => resource.id).sort(), `every ${type}`)
      for (const resource of exported) {
        const problems = findProblems(resource)
        if (problems.length > 0) t.strictSame(problems, [], `${type}/${resource.id} is valid`)
        const { meta: _own, ...received } = resource // when the row was written, not what was loaded
        const difference = compareResources(originals.find(original => original.id === resource.id), received)
        if (difference.changed.length > 0) t.strictSame(difference.changed, [], `${type}/${resource.id} is as it was`)
        for (const path of difference.dropped) dropped.add(`${type}.${path}`)
      }
    }

    const announced = [...report.notHeld.keys()].map(note => note.replace(/ is .*/, '')).filter(path => !path.startsWith('Group.'))
    t.strictSame(new Set([...dropped].map(toShort)), new Set(announced.map(toShort)), 'nothing is dropped in silence')
    t.strictSame(context.warnings, [])
  })
}

/** The loader names the parts of `meta`, of which nothing is held. */
function toShort (path: string): string {
  return path.replace(/\.meta\..*/, '.meta')
}

async function readResources (folder: string): Promise<Resource[]> {
  const files = await findFiles([folder])
  const texts = await Promise.all(files.map(file => readFile(file.path, 'utf8')))
  return texts.flatMap(text => text.split('\n').filter(line => line.trim() !== '').map(line => JSON.parse(line) as Resource))
}
