import type { Attachment, Condition, Encounter, HumanName, Observation } from 'fhir/r4.js'
import t from 'tap'
import { generate, type Generated } from '../../src/generate/index.ts'
import type { Row } from '../../src/generate/rows.ts'

const population = [...generate({ patients: 1_000, seed: 1 })]

function rowsOf (relation: string): Row[] {
  return population.flatMap((generated) => 'row' in generated && generated.relation === relation ? [generated.row] : [])
}

function ofType<T extends Observation | Condition | Encounter> (type: T['resourceType']): T[] {
  return population.flatMap(
    (generated) => 'resource' in generated && generated.resource.resourceType === type ? [generated.resource as T] : []
  )
}

function idOf (generated: Generated): string {
  return String('row' in generated ? generated.row.id : generated.resource.id)
}

t.test('the same seed gives the same data, another seed others', async t => {
  const first = JSON.stringify([...generate({ patients: 50, seed: 7 })])
  t.equal(JSON.stringify([...generate({ patients: 50, seed: 7 })]), first)
  t.not(JSON.stringify([...generate({ patients: 50, seed: 8 })]), first)
})

// Bulk Data 3.0.0, Attachments: SHOULD have contentType, and data or url.
t.test('every attachment has a content type, and data or a url', async t => {
  const attachments = population.flatMap((generated) => findAttachments('row' in generated ? generated.row : generated.resource))
  t.ok(attachments.length > 1_000)
  for (const { contentType, data, url } of attachments) {
    if (contentType === undefined || (data === undefined) === (url === undefined)) {
      t.fail(`${contentType}`)
    }
  }
})

function findAttachments (value: unknown): Attachment[] {
  if (typeof value !== 'object' || value === null) return []
  return 'contentType' in value ? [value as Attachment] : Object.values(value).flatMap(findAttachments)
}

t.test('a larger population starts with the patients of the smaller one', async t => {
  const withoutGroups = (patients: number): string[] => [...generate({ patients, seed: 1 })]
    .filter(
      (generated) => !('row' in generated && generated.relation.startsWith('patient_group'))
    ).map(generated => JSON.stringify(generated))
  const small = withoutGroups(20)
  t.strictSame(withoutGroups(40).slice(0, small.length), small)
})

t.test('ids are valid and unique, in a large population and between seeds', async t => {
  const ids = new Set<string>()
  let count = 0
  for (const seed of [1, 2]) {
    for (const generated of generate({ patients: 10_000, seed })) {
      const id = idOf(generated)
      ids.add(id)
      count++
      if (!/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)) t.fail(id)
    }
  }
  t.equal(ids.size, count)
})

t.test('a patient has about three documents, one consent and two provenances, two encounters, a condition and six observations',
  async t => {
    for (const [what, found, expected] of [
      ['documents', rowsOf('medical_records'), 3], ['provenances', rowsOf('provenance_events'), 2], ['encounters', ofType('Encounter'), 2],
      ['conditions', ofType('Condition'), 1], ['observations', ofType('Observation'), 6],
    ] as const) {
      const each = found.length / 1_000
      t.ok(each > 0.9 * expected && each < 1.1 * expected, `${each} ${what}`)
    }
    t.equal(rowsOf('patients').length, 1_000)
    t.equal(rowsOf('consents').length, 1_000)
    t.equal(rowsOf('patient_groups').length, 3)
    t.ok(rowsOf('patient_group_members').length > 500)
  })

const typesOf = new Map([
  ['patients', 'Patient'], ['medical_records', 'DocumentReference'], ['consents', 'Consent'], ['provenance_events', 'Provenance'],
])

t.test('literal references lead to what the population holds', async t => {
  const held = new Set(population.map(
    (generated) => `${'row' in generated ? typesOf.get(generated.relation) : generated.resource.resourceType}/${idOf(generated)}`
  ))
  const literal = [
    ...JSON.stringify(population).matchAll(/"reference":"([A-Z][A-Za-z]+\/[^"?]+)"/g),
  ].map(([, reference]) => reference ?? '')
  t.ok(literal.length > population.length)
  t.strictSame(literal.filter(reference => !held.has(reference)), [])
})

t.test('no value of a resource or of a JSON column is empty', async t => {
  const empties: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (value === null || value === undefined || value === '' ||
      (typeof value === 'object' && Object.keys(value).length === 0)) empties.push(path)
    else if (typeof value === 'object') for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`)
  }
  for (const generated of population) {
    if ('row' in generated) {
      for (const [column, value] of Object.entries(generated.row)) {
        value !== null && visit(value, `${generated.relation}.${column}`)
      }
    } else visit(generated.resource, generated.resource.resourceType)
  }
  t.strictSame(empties, [])
})

t.test('every column is filled by some and, but for those that a row cannot do without, left empty by others', async t => {
  for (const relation of [...typesOf.keys(), 'patient_groups', 'patient_group_members']) {
    const rows = rowsOf(relation)
    for (const column of Object.keys(rows[0] ?? {})) t.ok(rows.some((row) => row[column] !== null), `${relation}.${column}`)
  }
})

t.test('names and descriptions hold the characters that have to be escaped somewhere', async t => {
  const names = rowsOf('patients').flatMap(({ name }) => name as HumanName[]).map(({ family }) => family ?? '').join()
  for (const character of ['\'', '’', '-', ' ', 'ß', 'Щ', '田', '𠮷', 'ح']) t.ok(names.includes(character), character)
  const descriptions = rowsOf('medical_records').map(({ description }) => description ?? '').join()
  for (const character of ['"', '\\', '\n', '\t', '🙂', ';']) t.ok(descriptions.includes(character), JSON.stringify(character))
})

t.test('notes have some hundred bytes to some kilobytes', async t => {
  const sizes = rowsOf('medical_records').map(({ content }) => Buffer.from(
    (content as Array<{ attachment: Attachment }>)[0]?.attachment.data ?? '', 'base64'
  ).length).sort((a, b) => a - b)
  t.ok((sizes[0] ?? 0) > 100)
  t.ok((sizes.at(-1) ?? 0) > 3_000 && (sizes.at(-1) ?? 0) < 10_000)
})

t.test('consents permit and deny, by columns or with conditions, active and not', async t => {
  const consents = rowsOf('consents')
  t.strictSame(new Set(consents.map(({ decision }) => decision)), new Set(['permit', 'deny']))
  t.ok(consents.every(({ recipients, provision }) => (recipients === null) !== (provision === null)))
  t.strictSame(new Set(consents.map(({ status }) => status)),
    new Set(['active', 'inactive', 'revoked', 'rejected', 'draft', 'proposed', 'entered-in-error']))
})

t.test('some dates are partial', async t => {
  const deaths = rowsOf('patients').flatMap(({ deceased_date_time: died }) => died ?? []).map(text => String(text).length)
  for (const length of [4, 7, 10, 20]) t.ok(deaths.includes(length), `a date of ${length} characters`)
})

t.test('measured values keep their digits, and there are extensions, narratives and contained resources', async t => {
  const text = JSON.stringify(population)
  for (const found of [
    /"value":\d+\.\d0,"unit"/, /"extension":\[/, /"div":"<div xmlns=/, /"contained":\[/, /"dataAbsentReason"/, /"component":\[/,
  ]) t.match(text, found)
})
