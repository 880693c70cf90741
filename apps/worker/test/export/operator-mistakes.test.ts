import type { GivenExport } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { exportFiles, openService } from '../fixtures/service.ts'

/*
 * A view that was made in a hurry: of each row there is a line or an error that names it, or the export fails and says which relation and
 * why. None is passed over.
 */

const observation = '{"resourceType":"Observation","status":"final","code":{"text":"x"}}'

async function openWith (view: string) {
  const service = await openService(t)
  await sql.raw(view).execute(service.db)
  await service.startWorker({ EXPORT_LATE_COMMIT_MARGIN: '0ms' })
  const run = async (values: GivenExport = {}) => {
    const files = await exportFiles(service, { level: 'system', types: ['Observation'], ...values })
    const errors = files['error.1.ndjson'] as Array<{ issue?: Array<{ diagnostics: string }> }> | undefined
    return {
      ids: (files['Observation.1.ndjson'] ?? []).map(({ id }) => id),
      errors: (errors ?? []).flatMap(({ issue = [] }) => issue.map(({ diagnostics }) => diagnostics)),
    }
  }
  return { service, run }
}

const rows = (form: string, ...given: Array<[id: string, updatedAt: string, resource: string]>) =>
  `CREATE VIEW source.observation AS SELECT * FROM (VALUES
  ${given.map(([id, updatedAt, resource]) => `(${id}, ${updatedAt}::timestamptz, ${resource}::${form})`).join(', ')}) AS v
    (id, updated_at, resource)`

const text = (value: string) => `'${value}'`
const now = "(now() - interval '1 day')"

t.test('ids, instants and resources that are none are told row by row', async (t) => {
  const { run } = await openWith(rows('text',
    [text('good'), now, text(observation)], [text('a_b'), now, text(observation)], [text('x y'), now, text(observation)], ['NULL', now,
      text(observation)],
    [text('no-time'), 'NULL', text(observation)], [text('never'), text('infinity'), text(observation)], [text('null'), now,
      'NULL'], [text('word'), now, text('null')],
    [text('list'), now, text(`[${observation}]`)], [text('twice'), now, text(observation + observation)], [text('half'), now,
      text(observation.slice(1))],
    [text('other'), now, text('{"resourceType":"Patient"}')], [text('text'), now,
      `to_json(${text(observation)}::text)::text`], [text('empty'), now, text('')]))
  const errors = [
    'A row of Observation without a usable id: Observation.id is required',
    'A row of Observation without a usable id: Observation.id must be 1 to 64 letters, digits, "-" and "."',
    'A row of Observation without a usable id: Observation.id must be 1 to 64 letters, digits, "-" and "."',
    'Observation/empty: Observation must be an object',
    'Observation/half: Observation must be an object', 'Observation/list: Observation must be an object',
    'Observation/never: Observation.meta.lastUpdated must be an instant in the years 0001 to 9999',
    'Observation/no-time: Observation.meta.lastUpdated is required', 'Observation/null: Observation has no resource: its column is NULL',
    'Observation/other: Observation.resourceType must be Observation', 'Observation/text: Observation must be an object',
    'Observation/twice: Observation must be JSON',
    'Observation/word: Observation must be an object',
  ]
  const all = await run()
  t.strictSame(all.ids, ['good'])
  t.strictSame(all.errors.sort(), errors)
  const since = await run({ _since: new Date('2000-01-01') })
  t.strictSame(since.ids, ['good'])
  t.strictSame(since.errors.sort(), errors, 'a row without a time is told whatever time is asked for')
  const filtered = await run({ _typeFilter: ['Observation?status=final'] })
  t.strictSame(filtered.ids, ['good'])
  t.strictSame(filtered.errors.filter((error) => /must be (?:an object|JSON)/.test(error)).sort(),
    errors.filter((error) => /must be (?:an object|JSON)/.test(error)), 'a filter says nothing of what is no object')
  t.strictSame((await run({ _typeFilter: ['Observation?status=amended'] })).ids, [])
  const until = await run({ _until: new Date() })
  t.strictSame(until.errors.filter((error) => error.includes('no-time')), ['Observation/no-time: Observation.meta.lastUpdated is required'])
})

t.test('a column of another type, or of a name in capitals, is named at start', async (t) => {
  const service = await openService(t)
  const { db } = service
  const views: Array<[select: string, said: RegExp]> = [
    ["SELECT 1 AS id, now() AS updated_at, '{}'::jsonb AS resource", /source\.observation\.id is integer, not text/],
    ["SELECT 'a' AS id, now()::date AS updated_at, '{}'::jsonb AS resource", /source\.observation\.updated_at is date, not timestamptz/],
    ["SELECT 'a' AS id, localtimestamp AS updated_at, '{}'::jsonb AS resource",
      /updated_at is timestamp without time zone, not timestamptz/],
    ["SELECT 'a' AS id, now() AS updated_at, ARRAY['{}'::jsonb] AS resource", /resource is jsonb\[\], not jsonb, json or text/],
    ["SELECT 'a' AS id, now() AS updated_at, '{}'::bytea AS resource", /resource is bytea, not jsonb, json or text/],
    ["SELECT 'a' AS id, now() AS last_updated, '{}'::jsonb AS resource",
      /updated_at is missing[^]*last_updated is not a column that the service knows/],
    ["SELECT 'a' AS \"ID\", now() AS \"updatedAt\", '{}'::jsonb AS \"Resource\"",
      /id is missing[^]*updated_at is missing[^]*ID is not a column that the service knows; the nearest name is id[^]*Resource is not/],
    ["SELECT 'a' AS id, now() AS updated_at, '{}'::jsonb AS resource, 7 AS patient_id", /patient_id is integer, not text/],
    ["SELECT 'a' AS id, now() AS updated_at, '{}'::jsonb AS resource, false AS deleted_at", /deleted_at is boolean, not timestamptz/],
  ]
  for (const [select, said] of views) {
    await sql.raw(`DROP VIEW IF EXISTS source.observation; CREATE VIEW source.observation AS ${select}`).execute(db)
    await t.rejects(service.startWorker(), { code: 'SOURCE_MISMATCH', message: said }, select)
  }
  for (const [name, nearest] of [['Observation', 'observation'], ['observations', 'observation'],
    ['MedicationRequest', 'medication_request'], ['patient', 'patients'], ['document_reference', 'medical_records']] as const) {
    await sql.raw(
      `DROP VIEW IF EXISTS source.observation; CREATE VIEW source."${name}" AS SELECT 'a' AS id, now() AS updated_at, '{}'::jsonb
        AS resource`
    ).execute(db)
    await t.rejects(service.startWorker(), {
      code: 'SOURCE_MISMATCH',
      message: new RegExp(`source\\.${name} is not the relation of a resource type of FHIR R4; the nearest name is ${nearest}`)
    }, name)
    await sql.raw(`DROP VIEW source."${name}"`).execute(db)
  }
})

t.test('character(n), enums and domains are read as what they say', async (t) => {
  const { run } = await openWith(`
    CREATE DOMAIN public.resource_id AS character(10); CREATE DOMAIN public.document AS jsonb;
    CREATE VIEW source.observation AS SELECT 'o1'::public.resource_id AS id, now() - interval '1 day' AS updated_at, 'p1'::character(12)
      AS patient_id, '${observation}'::public.document AS resource`)
  t.strictSame(await run(), { ids: ['o1'], errors: [] })
  t.strictSame((await run({ level: 'patient', patient: ['p1'] })).ids, ['o1'])
  t.strictSame((await run({ _typeFilter: ['Observation?_id=o1'] })).ids, ['o1'])
})

t.test('a filter that meets what is no JSON of PostgreSQL tells of it', async (t) => {
  const { run } = await openWith(rows('json', [text('good'), now, text(observation)],
    [text('nul'), now, text('{"status":"final","code":{"text":"\\u0000"}}')]))
  t.strictSame(await run(), { ids: ['good'], errors: ['Observation/nul: Observation.code.text must not contain control characters'] })
  await t.rejects(run({ _typeFilter: ['Observation?status=final'] }),
    { message: 'source.observation holds a value that PostgreSQL cannot convert (SQLSTATE 22P05)' })
})
