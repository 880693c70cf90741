import { gzipSync } from 'node:zlib'
import t from 'tap'
import { compareWithLoaded } from '../src/compare-loaded.ts'

const observation =
  '{"resourceType":"Observation","id":"o1","meta":{"versionId":"3","lastUpdated":"2001-01-01T00:00:00Z"},' +
  '"valueQuantity":{"value":10.00,"unit":"kg"}}'
const exported =
  '{"resourceType":"Observation","id":"o1","meta":{"lastUpdated":"2026-01-01T00:00:00Z","versionId":"3"},' +
  '"valueQuantity":{"unit":"kg","value":10.00}}'

t.test('resources are equal whatever the order of their properties, in whichever form they were loaded', async t => {
  const bundle =
    '{"resourceType":"Bundle","type":"collection",' +
    '"entry":[{"resource":{"resourceType":"Basic","id":"b1","code":{"text":"x"}}},{"fullUrl":"urn:x"}]}'
  const files = t.testdir({
    loaded: {
      'all.ndjson': ['', `${observation}\r`, '{"resourceType":"Basic","id":"b4","code":{"text":"not loaded"}}', 'no JSON',
        '{"resourceType":"Basic","code":{"text":"without an id"}}', ''].join('\n'),
      below: {
        'packed.ndjson.gz': gzipSync('{"resourceType":"Basic","id":"b2","code":{"text":"y"}}'), 'bundle.json': `\uFEFF${bundle}`,
        'single.json': '{"resourceType":"Basic","id":"b3","code":{"text":"z"}}',
      },
      'patients.csv': 'id\n"p1"\n',
    },
    exported: {
      'Observation.1.ndjson': `${exported}\n`,
      'Basic.1.ndjson': ['x', 'y', 'z'].map(
        (text, n) => `{"resourceType":"Basic","id":"b${n + 1}","meta":{"lastUpdated":"2026-01-01T00:00:00Z"},"code":{"text":"${text}"}}\n`
      ).join(''),
      'Patient.1.ndjson': '{"resourceType":"Patient","id":"p1"}\n',
    },
  })
  const paths = ['Observation', 'Basic', 'Patient'].map((type) => `${files}/exported/${type}.1.ndjson`)
  t.strictSame(await compareWithLoaded(paths, `${files}/loaded`), { equal: 4, others: 1, missing: 1 })
})

t.test('a value, a digit or a property more or less is a difference, and the resource is named', async t => {
  for (const changed of [
    exported.replace('10.00', '10.0'), exported.replace('10.00', '10'), exported.replace('"kg"', '"KG"'),
    exported.replace('"versionId":"3"', '"versionId":"4"'), exported.replace('"unit":"kg",', ''),
  ]) {
    const files = t.testdir({ loaded: { 'all.ndjson': observation }, exported: { 'Observation.1.ndjson': changed } })
    await t.rejects(compareWithLoaded([`${files}/exported/Observation.1.ndjson`], `${files}/loaded`),
      { message: '1 resources are not as they were loaded: Observation/o1' }, changed)
  }
})

t.test('of several versions that were loaded any may come back', async t => {
  const files = t.testdir({
    loaded: { 'all.ndjson': `${observation}\n${observation.replace('10.00', '11.00')}\n` }, exported: { 'Observation.1.ndjson': exported },
  })
  t.match(await compareWithLoaded([`${files}/exported/Observation.1.ndjson`], `${files}/loaded`), { equal: 1, missing: 0 })
})
