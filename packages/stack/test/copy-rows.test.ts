import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { copyRows } from '../src/copy-rows.ts'
import { generate } from '../src/generate/index.ts'
import { writeFiles } from '../src/generate/write-files.ts'
import { execute } from '../src/sql.ts'
import { createTestDatabase } from '../src/testing.ts'

const population = { patients: 1_000, seed: 2 }

t.test('rows stand in the columns as they were generated', async t => {
  const url = await createTestDatabase(t)
  const folder = t.testdir({})
  const written = await writeFiles(folder, population)
  const copied = await copyRows(url, folder)
  t.strictSame(copied,
    Object.fromEntries(Object.entries(written).flatMap(
      ([file, count]) => file.endsWith('.csv') ? [[file.slice(0, -4), count]] : []
    ).sort()))

  const descriptions = new Map((await execute(url,
    'SELECT id, description FROM source.medical_records')).map(({ id, description }) => [id, description]))
  const names = new Map((await execute(url, 'SELECT id, name FROM source.patients')).map(({ id, name }) => [id, name]))
  for (const generated of generate(population)) {
    if (!('row' in generated)) continue
    const { relation, row } = generated
    if (relation === 'medical_records' && descriptions.get(row.id) !== row.description) t.equal(descriptions.get(row.id), row.description)
    if (relation === 'patients' && JSON.stringify(names.get(row.id)) !== JSON.stringify(row.name)) t.same(names.get(row.id), row.name)
  }

  const relations = await execute(url, `SELECT table_name AS relation, string_agg(format('count(%1$I)::int AS %1$I', column_name),
    ', ') AS counts
    FROM information_schema.columns WHERE table_schema = 'source' AND column_name NOT IN ('updated_at', 'deleted_at', 'resource')
      GROUP BY table_name`)
  t.equal(relations.length, 6)
  for (const { relation, counts } of relations) {
    const [filled = {}] = await execute(url, `SELECT ${counts} FROM source.${relation}`)
    for (const [column, count] of Object.entries(filled)) t.ok(Number(count) > 0, `${relation}.${column} is used by somebody`)
  }
})

t.test('all or nothing: a column that is not there is named', async t => {
  const url = await createTestDatabase(t)
  const folder = t.testdir({})
  await writeFile(`${folder}/consents.csv`, 'id,patient_id,status\n"c1","p1","active"\n')
  await writeFile(`${folder}/patients.csv`, 'id,surname\n"p1","Müller"\n')
  await t.rejects(copyRows(url, folder), { message: /column "surname" of relation "patients" does not exist/ })
  t.same(await execute(url, 'SELECT id FROM source.consents'), [])
})
