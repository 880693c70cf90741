import t from 'tap'
import { namesMediaType, selectMediaType, takesXmlAlone } from '../../src/http/accept.ts'

t.test('a media type is named with a weight of more than zero', async (t) => {
  for (const [header, isNamed] of [
    ['application/fhir+json', true],
    ['Application/FHIR+JSON', true],
    ['application/fhir+json, */*; q=0.1', true],
    ['text/html, application/fhir+json;fhirVersion=4.0;q=0.001', true],
    ['application/fhir+json; a="x,y;q=0"', true],
    ['application/fhir+json;q=0, application/fhir+json', true],
    ['application/fhir+json;q=0', false],
    ['application/fhir+json; q=0.000', false],
    ['application/fhir+json; q=nonsense', false],
    ['application/json', false],
    ['application/fhir+xml', false],
    ['text/plain; a="application/fhir+json"', false],
    ['*/*', false],
    ['application/*', false],
    ['', false],
    [undefined, false],
  ] as const) {
    t.equal(namesMediaType(header, 'application/fhir+json'), isNamed, String(header))
  }
})

t.test('the media type that is preferred: the first of ours where nothing says otherwise', async (t) => {
  const [fhir, json] = ['application/fhir+json', 'application/json'] as const
  for (const [header, selected] of [
    ['application/json', json],
    ['application/json, text/plain, */*', json],
    ['application/json;q=0.9, application/fhir+json;q=0.8', json],
    ['application/fhir+json, application/json;q=0.9', fhir],
    ['application/fhir+json, */*; q=0.1', fhir],
    ['application/json;q=0', fhir],
    ['application/*', fhir],
    ['*/*', fhir],
    ['text/html', fhir],
    ['nonsense', fhir],
    ['', fhir],
    [undefined, fhir],
  ] as const) t.equal(selectMediaType(header, [fhir, json]), selected, String(header))
})

t.test('XML alone', async (t) => {
  for (const header of [
    'application/fhir+xml', 'application/xml', 'text/xml', 'application/xml+fhir', 'Application/FHIR+XML; fhirVersion=4.0',
    'text/xml;q=0.1, application/xml', 'text/xml, application/json;q=0',
  ]) t.equal(takesXmlAlone(header), true, header)
  for (const header of [
    'application/fhir+xml, */*;q=0.1', 'application/xml;q=0', 'application/*', 'text/html, text/xml', '', undefined,
  ]) t.equal(takesXmlAlone(header), false, String(header))
})
