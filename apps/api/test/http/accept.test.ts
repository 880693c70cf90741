import t from 'tap'
import { namesMediaType } from '../../src/http/accept.ts'

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
