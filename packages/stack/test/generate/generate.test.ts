import t from 'tap'
import { generateResources, type GeneratedResource } from '../../src/generate/index.ts'
import { paths } from '../fixtures/element-paths.ts'

const population = [...generateResources({ patients: 1_000, seed: 1 })]

function ofType<T extends GeneratedResource['resourceType']> (type: T): Array<Extract<GeneratedResource, { resourceType: T }>> {
  return population.filter(resource => resource.resourceType === type) as Array<Extract<GeneratedResource, { resourceType: T }>>
}

t.test('the same seed gives the same resources, another seed others', async t => {
  const first = JSON.stringify([...generateResources({ patients: 50, seed: 7 })])
  t.equal(JSON.stringify([...generateResources({ patients: 50, seed: 7 })]), first)
  t.not(JSON.stringify([...generateResources({ patients: 50, seed: 8 })]), first)
})

t.test('a larger population starts with the patients of the smaller one', async t => {
  const withoutGroups = (patients: number): string[] => [...generateResources({ patients, seed: 1 })].filter(({ resourceType }) => resourceType !== 'Group').map(resource => JSON.stringify(resource))
  const small = withoutGroups(20)
  t.strictSame(withoutGroups(40).slice(0, small.length), small)
})

t.test('ids are valid and unique, in a large population and between seeds', async t => {
  const ids: string[] = []
  for (const seed of [1, 2]) for (const { id } of generateResources({ patients: 10_000, seed })) ids.push(id ?? '')
  t.equal(new Set(ids).size, ids.length)
  t.strictSame(ids.filter(id => !/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)), [])
})

t.test('a patient has about three documents, one consent and two provenances', async t => {
  const documents = ofType('DocumentReference').length / 1_000
  const provenances = ofType('Provenance').length / 1_000
  t.ok(documents > 2.7 && documents < 3.3, `${documents} documents`)
  t.ok(provenances > 1.9 && provenances < 2.1, `${provenances} provenances`)
  t.equal(ofType('Consent').length, 1_000)
  t.equal(ofType('Group').length, 3)
})

t.test('literal references lead to resources of the population', async t => {
  const held = new Set(population.map(({ resourceType, id }) => `${resourceType}/${id}`))
  const literal = [...JSON.stringify(population).matchAll(/"reference":"([A-Z][A-Za-z]+\/[^"?]+)"/g)].map(([, reference]) => reference ?? '')
  t.ok(literal.length > population.length)
  t.strictSame(literal.filter(reference => !held.has(reference)), [])
})

t.test('no value is empty', async t => {
  const empties: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (value === null || value === undefined || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)) empties.push(path)
    else if (typeof value === 'object') for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`)
  }
  for (const resource of population) visit(resource, `${resource.resourceType}/${resource.id}`)
  t.strictSame(empties, [])
})

t.test('every element that the source has a column for is used by somebody', async t => {
  const used = new Set(population.flatMap(resource => paths(resource)))
  t.strictSame([
    ...['id', 'identifier', 'active', 'name', 'telecom', 'gender', 'birthDate', 'deceasedBoolean', 'deceasedDateTime', 'address', 'maritalStatus',
      'multipleBirthBoolean', 'multipleBirthInteger', 'contact', 'communication', 'generalPractitioner', 'managingOrganization', 'link'].map(name => `Patient.${name}`),
    ...['masterIdentifier', 'identifier', 'status', 'docStatus', 'type', 'category', 'subject', 'date', 'author', 'authenticator', 'custodian', 'relatesTo', 'description',
      'securityLabel', 'content', 'context.encounter', 'context.event', 'context.period.start', 'context.period.end', 'context.facilityType', 'context.practiceSetting',
      'context.sourcePatientInfo', 'context.related'].map(name => `DocumentReference.${name}`),
    ...['identifier', 'status', 'scope', 'category', 'patient', 'dateTime', 'performer', 'organization', 'sourceAttachment', 'sourceReference', 'policy', 'policyRule',
      'verification', 'provision.period.start', 'provision.period.end', 'provision.provision.type', 'provision.provision.actor', 'provision.provision.action',
      'provision.provision.securityLabel', 'provision.provision.purpose', 'provision.provision.class', 'provision.provision.code', 'provision.provision.dataPeriod',
      'provision.provision.data', 'provision.provision.provision'].map(name => `Consent.${name}`),
    ...['target', 'occurredDateTime', 'occurredPeriod.start', 'occurredPeriod.end', 'recorded', 'policy', 'location', 'reason', 'activity', 'agent', 'entity'].map(name => `Provenance.${name}`),
    ...['identifier', 'active', 'type', 'actual', 'code', 'name', 'managingEntity', 'member.entity', 'member.period', 'member.inactive'].map(name => `Group.${name}`),
  ].filter(path => !used.has(path)), [])
})

t.test('names and descriptions hold the characters that have to be escaped somewhere', async t => {
  const names = ofType('Patient').flatMap(({ name }) => name ?? []).map(({ family }) => family ?? '').join()
  for (const character of ['\'', '’', '-', ' ', 'ß', 'Щ', '田', '𠮷', 'ح']) t.ok(names.includes(character), character)
  const descriptions = ofType('DocumentReference').map(({ description }) => description ?? '').join()
  for (const character of ['"', '\\', '\n', '\t', '🙂', ';']) t.ok(descriptions.includes(character), JSON.stringify(character))
})

t.test('notes have some hundred bytes to some kilobytes', async t => {
  const sizes = ofType('DocumentReference').map(({ content }) => Buffer.from(content[0]?.attachment.data ?? '', 'base64').length).sort((a, b) => a - b)
  t.ok((sizes[0] ?? 0) > 100)
  t.ok((sizes.at(-1) ?? 0) > 3_000 && (sizes.at(-1) ?? 0) < 10_000)
})

t.test('consents permit and deny, with and without conditions, active and not', async t => {
  const consents = ofType('Consent')
  const rules = consents.map(({ provision }) => provision?.provision?.[0]?.type)
  t.ok(rules.includes('permit') && rules.includes('deny'))
  t.strictSame(new Set(consents.map(({ status }) => status)), new Set(['active', 'inactive', 'rejected', 'draft', 'proposed', 'entered-in-error']))
  t.strictSame(consents.filter(({ policy, policyRule }) => policy === undefined && policyRule === undefined), [], 'ppc-1')
})

t.test('some dates are partial', async t => {
  const deaths = ofType('Patient').flatMap(({ deceasedDateTime }) => deceasedDateTime ?? []).map(text => text.length)
  for (const length of [4, 7, 10, 20]) t.ok(deaths.includes(length), `a date of ${length} characters`)
})
