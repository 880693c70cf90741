import t from 'tap'
import { toPathAndQuery, toRoutableUrl } from '../../src/http/request-target.ts'

t.test('%24 becomes a $ in the path alone', async (t) => {
  for (const [url, expected] of [
    ['/fhir/r4/Patient/%24export', '/fhir/r4/Patient/$export'],
    ['/fhir/r4/%24export-status/x?a=%24', '/fhir/r4/$export-status/x?a=%24'],
    ['/fhir/r4/$export-status/x', '/fhir/r4/$export-status/x'],
    ['/a%2524b', '/a%2524b'],
    ['?%24', '?%24'],
  ] as const) {
    t.equal(toRoutableUrl(url), expected)
  }
})

t.test('the host of an absolute request target is left out', async (t) => {
  for (const [url, expected] of [
    ['/fhir/r4/Patient/$export?_type=Patient', '/fhir/r4/Patient/$export?_type=Patient'],
    ['http://evil.example/fhir/r4/Patient/$export', '/fhir/r4/Patient/$export'],
    ['HTTPS://evil.example:1/x?y=http://z/', '/x?y=http://z/'],
    ['/x?http://evil.example/', '/x?http://evil.example/'],
  ] as const) {
    t.equal(toPathAndQuery(url), expected)
  }
})
