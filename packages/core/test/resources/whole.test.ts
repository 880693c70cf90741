import t from 'tap'
import { lineOf, relationOf } from '../fixtures/lines.ts'

const meta = '"meta":{"lastUpdated":"2024-01-31T09:30:00.123Z"}'

t.test('what stands in `resource` comes out as it went in, with id and meta.lastUpdated set', async (t) => {
  const resource =
    '{"id": "other", "code": {"text": "\\u00e4 \u2028 \\"\\/"}, "meta": {"tag": [{"code": "a"}], "profile": ["http://example.org/p"], ' +
      '"lastUpdated": "2001-01-01T00:00:00Z"}, "status": "final", "resourceType": "Observation", "valueQuantity": {"value": 10.00, ' +
      '"extension": [{"url": "http://example.org/x", "valueInteger": 9}]}, "component": [{"code": {"text": "c"}, "valueSampledData": ' +
      '{"origin": {"value": 12345678901234567890.10}, "period": 1e-22, "dimensions": 1}}]}'
  t.equal(lineOf('Observation', { resource }).line,
    '{"resourceType":"Observation","id":"r-1","code":{"text":"\\u00e4 \u2028 \\"\\/"},"meta":{"tag":[{"code":"a"}],' +
      '"profile":["http://example.org/p"],"lastUpdated":"2024-01-31T09:30:00.123Z"},"status":"final",' +
    '"valueQuantity":{"value":10.00,"extension":[{"url":"http://example.org/x","valueInteger":9}]},"component":[{"code":{"text":"c"},' +
      '"valueSampledData":{"origin":{"value":12345678901234567890.10},"period":1e-22,"dimensions":1}}]}\n')
})

t.test('nothing is derived, completed or filled in where there is a `resource`', async (t) => {
  const resource = {
    status: 'active', scope: { text: 's' }, category: [{ text: 'c' }], policyRule: { text: 'p' },
    provision: { type: 'permit', period: { end: '2001' } }
  }
  t.strictSame(lineOf('Consent', { resource }).resource, {
    ...resource, resourceType: 'Consent', id: 'r-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' }
  })
  t.match(lineOf('Consent', { resource: { status: 'active' } }).issue, { path: 'scope', problem: 'is required' })
  t.match(lineOf('Provenance', { resource: { target: [{ display: 'x' }], recorded: '2024-01-31T09:30:00Z' } }).issue,
    { path: 'agent', problem: 'is required' })
})

t.test('json and text will do as well as jsonb', async (t) => {
  for (const form of ['json', 'text'] as const) {
    const relation = relationOf('Observation')
    relation.columns.resource = form
    const resource = ' {\n\t"status": "final",\r\n "code": {"text": "x"}}\n '
    t.equal(lineOf('Observation', { resource }, {}, relation).line,
      `{"resourceType":"Observation","status":"final","code":{"text":"x"},"id":"r-1",${meta}}\n`)
    t.match(lineOf('Observation', { resource: '{"status":"final","code":{"text":"x"}' }, {}, relation).issue, { problem: 'must be JSON' })
    t.match(lineOf('Observation', { resource: '{"status":"final","code":{"text":"x"}} x' }, {}, relation).issue,
      { problem: 'must be JSON' })
  }
})

t.test('a column that is not NULL lies over the same element', async (t) => {
  const resource = {
    name: [{ family: 'Old' }], gender: 'male', birthDate: '1900', _birthDate: {
      id: 'b', extension: [
        { url: 'http://example.org/x', valueString: 'y' },
      ]
    }, deceasedBoolean: false, _deceasedBoolean: { id: 'd' }, photo: [{ title: 'p' }]
  }
  t.strictSame(lineOf('Patient', {
    resource, name: [{ family: 'New' }], birth_date: '2000-01-01', deceased_date_time: '2020',
    gender: null
  }).resource, {
    resourceType: 'Patient',
    name: [{ family: 'New' }],
    gender: 'male',
    _birthDate: resource._birthDate,
    birthDate: '2000-01-01',
    photo: resource.photo,
    id: 'r-1',
    deceasedDateTime: '2020',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
  })
})

t.test('a row with nothing but a resource is written as one with a column that says the same', async (t) => {
  const time = '"lastUpdated":"2001-01-01T00:00:00Z"'
  const good = [
    '', '"id":"other"', '"_id":{"id":"x"}', '"meta":{}', '"meta":{"id":"m"}', `"meta":{${time}}`, `"meta":{${time},"versionId":"1"}`,
    `"meta":{"_lastUpdated":{"id":"x"},${time}},"id":"other"`,
    '"meta":{"tag":[{"code":"a"}]},"contained":[{"resourceType":"Patient","id":"c"}]',
  ]
  const bad = [
    '"id":5', '"id":null', '"id":"a b"', '"meta":[]', '"meta":null', '"meta":{"lastUpdated":"2001"}', '"meta":{"unheard":1}',
    '"meta":{},"meta":{}', '"unheard":1', '"resourceType":"Group"',
  ]
  for (const members of [...good, ...bad, ...good]) {
    const resource = `{"active":true${members && `,${members}`}}`
    const alone = lineOf('Patient', { resource })
    const other = lineOf('Patient', { resource, active: true })
    t.strictSame([alone.resource, alone.issue], [other.resource, other.issue], resource)
    t.equal(alone.issue === undefined, good.includes(members), resource)
  }
})

t.test('a column of a part leaves the other parts', async (t) => {
  const resource = {
    status: 'current', content: [{ attachment: { title: 'x' } }],
    context: { period: { end: '2021' }, encounter: [{ display: 'old' }], related: [{ display: 'r' }] }
  }
  t.strictSame(lineOf('DocumentReference', {
    resource, encounter: [{ reference: 'Encounter/1' }],
    period_start: '2020'
  }).resource.context, {
    period: { end: '2021', start: '2020' }, related: [{ display: 'r' }], encounter: [{ reference: 'Encounter/1' }],
  })
  t.strictSame(lineOf('Provenance', {
    resource: {
      target: [{ display: 'x' }], recorded: '2024-01-31T09:30:00Z', agent: [
        { who: { display: 'x' } },
      ], policy: ['urn:a'], _policy: [{ id: 'x' }]
    }, policy: ['urn:b', 'urn:c']
  }).resource.policy, ['urn:b', 'urn:c'])
})

t.test('what a column replaces is checked all the same', async (t) => {
  t.match(lineOf('Patient', { resource: { name: [{ family: 1 }] }, name: [{ family: 'New' }] }).issue, { path: 'name[0].family' })
})

t.test('a resource of another type, or none, is an issue', async (t) => {
  t.match(lineOf('Observation', { resource: { resourceType: 'Patient', id: 'x' } }).issue,
    { path: 'resourceType', problem: 'must be Observation' })
  t.match(lineOf('Observation', { resource: null }).issue, { path: '', problem: 'has no resource' })
  t.match(lineOf('Observation', { resource: '[]' }).issue, { path: '', problem: 'must be an object' })
})

t.test('lines follow each other, and a row that fails leaves nothing behind', async (t) => {
  const observation = (text: string) => `{"resourceType":"Observation","status":"final","code":{"text":"${text}"}}`
  t.equal(lineOf('Observation', { resource: observation('x'.repeat(100_000)) }).line.length,
    100_000 + lineOf('Observation', { resource: observation('').replace('""', '"y"') }).line.length - 1)
})

t.test('updated_at is an instant with as many digits as it has', async (t) => {
  const lastUpdated = (micros: bigint) => lineOf('Patient', { updated_at: micros }).resource.meta.lastUpdated
  t.equal(lastUpdated(0n), '2000-01-01T00:00:00Z')
  t.equal(lastUpdated(1n), '2000-01-01T00:00:00.000001Z')
  t.equal(lastUpdated(120_000n), '2000-01-01T00:00:00.12Z')
  t.equal(lastUpdated(-1n), '1999-12-31T23:59:59.999999Z')
  t.equal(lastUpdated(-63_082_281_600_000_000n), '0001-01-01T00:00:00Z')
  t.equal(lastUpdated(252_455_615_999_999_999n), '9999-12-31T23:59:59.999999Z')
})

t.test('there is room for what stands in no source, wherever in its buffer a line begins', async (t) => {
  const longText = 'x'.repeat(60_000)
  const rows = [
    // Each is left out, and says so at greater length than it had.
    ['DocumentReference', { status: 'current', content: Array(700).fill({ attachment: { url: 'http://o/x' } }) }],
    // A further identifier stands in front of the rest.
    ['Patient', {
      mrn: '1'.repeat(20_000),
      resource: JSON.stringify({ resourceType: 'Patient', identifier: [{ value: '1' }], name: [{ text: longText }] }),
    }],
  ] as const
  const bytes = Buffer.alloc(589_824)
  for (const [type, values] of rows) {
    const context = { mrnSystem: 'http://example.org/mrn' }
    const { line } = lineOf(type, values, context)
    for (let size = 480_000; size < bytes.length; size += 4_001) {
      if (lineOf(type, values, context, relationOf(type), { bytes, size }).line !== line) t.fail(`${type} at ${size}`)
    }
    t.match(line, type === 'Patient' ? longText : /masked/)
  }
})
