import t, { type Test } from 'tap'
import { publicUrl, startApi } from '../../fixtures/api.ts'
import { admin, patient } from '../../fixtures/exports.ts'
import { post, type Part, type Post } from '../../fixtures/kick-off.ts'
import { givenGroup, givenPatients } from '../../fixtures/source.ts'
import { bearer } from '../../fixtures/token.ts'

type Issue = 'value' | 'not-supported' | 'invalid' | 'too-long' | 'forbidden' | 'not-found'

const codings: Record<number, string> = {
  400: 'bad-request', 403: 'forbidden', 404: 'not-found', 413: 'payload-too-large', 415: 'unsupported-media-type',
}

const texts: Record<number, string> = { 400: 'Bad request' }
/** What every refusal is: the status, an OperationOutcome, and a text that names what is wrong. */
function checkRefusal (
  t: Test, response: Awaited<ReturnType<typeof post>>, [what, status, issue, names]: [string, number, Issue, string]
): void {
  t.equal(response.statusCode, status, what)
  t.match(response.headers, { 'content-type': /^application\/fhir\+json/, 'cache-control': 'no-store' }, what)
  const outcome = response.json()
  t.match(outcome, {
    resourceType: 'OperationOutcome',
    issue: [{
      severity: 'error',
      code: issue,
      details: { coding: [{ system: `${publicUrl}/fhir/r4/CodeSystem/error-code`, code: codings[status] }], text: texts[status] ?? /./ },
    }],
  }, what)
  t.ok(String(outcome.issue[0].diagnostics).includes(names), `${what}: ${outcome.issue[0].diagnostics} names ${names}`)
}

const instant = '2026-02-22T15:30:00Z'

/** [query, issue code, what the message names]; by GET and by POST. */
const queries: Array<[string, Issue, string]> = [
  ['_type=Observation', 'not-supported', '_type'],
  ['_type=patient', 'not-supported', '_type'],
  ['_type=Patient,Observation', 'not-supported', 'Observation cannot be exported'],
  ['_type=', 'value', '_type'],
  ['_type', 'value', '_type'],
  ['_type=Patient,', 'value', '_type'],
  ['_type=Patient&_type=', 'value', '_type'],
  ['_type=%zz', 'not-supported', '_type'],
  ['_type=%00', 'not-supported', '_type'],
  ['_since=', 'value', '_since'],
  ['_since=yesterday', 'value', '_since'],
  ['_since=2026-02-22', 'value', '_since'],
  ['_since=2026-02-22T15:30Z', 'value', '_since'],
  ['_since=2026-02-22T15:30:00', 'value', '_since'],
  ['_since=2026-02-30T00:00:00Z', 'value', '_since'],
  ['_since=2099-01-01T00:00:00Z', 'value', '_since'],
  [`_since=${instant}&_since=${instant}`, 'value', '_since'],
  [`_since=${instant},${instant}`, 'value', '_since'],
  ['_until=', 'value', '_until'],
  ['_until=tomorrow', 'value', '_until'],
  [`_until=${instant}&_until=${instant}`, 'value', '_until'],
  [`_since=${instant}&_until=${instant}`, 'value', '_until'],
  [`_since=${instant}&_until=2020-01-01T00:00:00Z`, 'value', '_until'],
  ['_outputFormat=', 'value', '_outputFormat'],
  ['_outputFormat=csv', 'value', '_outputFormat'],
  ['_outputFormat=application/json', 'value', '_outputFormat'],
  ['_outputFormat=ndjson,ndjson', 'value', '_outputFormat'],
  ['_outputFormat=ndjson&_outputFormat=ndjson', 'value', '_outputFormat'],
  ['_elements=', 'value', '_elements'],
  ['_elements=nope', 'not-supported', '_elements'],
  ['_elements=Patient.nope', 'not-supported', '_elements'],
  ['_elements=Lab.code', 'not-supported', '_elements'],
  ['_elements=Patient.name.family', 'not-supported', '_elements'],
  ['_elements=id,,meta', 'value', '_elements'],
  ['_typeFilter=', 'value', '_typeFilter'],
  ['_typeFilter=Patient', 'value', '_typeFilter'],
  ['_typeFilter=Patient%3F', 'value', '_typeFilter'],
  ['_typeFilter=Observation%3Fnothing%3D1', 'not-supported', '_typeFilter'],
  ['_typeFilter=Patient%3Fnope%3D1', 'not-supported', '_typeFilter'],
  ['_typeFilter=Patient%3F_include%3D*', 'not-supported', '_typeFilter'],
  ['_typeFilter=Patient%3F_count%3D1', 'not-supported', '_typeFilter'],
  ['_type=Consent&_typeFilter=Patient%3Fgender%3Dmale', 'value', '_typeFilter'],
  ['includeAssociatedData=', 'value', 'includeAssociatedData'],
  ['includeAssociatedData=Everything', 'not-supported', 'includeAssociatedData'],
  ['includeAssociatedData=_custom', 'not-supported', 'includeAssociatedData'],
  ['patient=Patient/pat-1', 'value', 'patient'],
  ['organizeOutputBy=Patient', 'not-supported', 'organizeOutputBy'],
  ['allowPartialManifests=true', 'not-supported', 'allowPartialManifests'],
  ['foo=bar', 'not-supported', 'foo'],
  ['=', 'not-supported', '""'],
  ['_Type=Patient', 'not-supported', '_Type'],
  ['__proto__=x', 'not-supported', '__proto__'],
]

/** [the parts of a Parameters resource, issue code, what the message names] */
const parts: Array<[Part[], Issue, string]> = [
  [[{ name: '_type', valueString: 'Observation' }], 'not-supported', '_type'],
  [[{ name: '_type', valueString: '' }], 'value', '_type'],
  [[{ name: '_type', valueBoolean: true }], 'value', '_type'],
  [[{ name: '_type', valueString: 7 }], 'value', '_type'],
  [[{ name: '_type', valueString: ['Patient'] }], 'value', '_type'],
  [[{ name: '_type', valueString: null }], 'value', '_type'],
  [[{ name: '_type' }], 'value', '_type'],
  [[{ name: '_type', valueString: 'Patient', valueCode: 'Patient' }], 'value', '_type'],
  [[{ name: '_type', part: [{ name: 'x', valueString: 'Patient' }] }], 'value', '_type'],
  [[{ name: '_type', resource: { resourceType: 'Patient' } }], 'value', '_type'],
  [[{ name: '_since', valueString: instant }], 'value', '_since'],
  [[{ name: '_since', valueInstant: '2026' }], 'value', '_since'],
  [[{ name: '_since', valueDate: '2026-01-01' }], 'value', '_since'],
  [[{ name: '_since', valueInstant: instant }, { name: '_since', valueInstant: instant }], 'value', '_since'],
  [[{ name: '_until', valueDateTime: instant }], 'value', '_until'],
  [[{ name: '_outputFormat', valueInteger: 1 }], 'value', '_outputFormat'],
  [[{ name: '_elements', valueReference: { reference: 'Patient/1' } }], 'value', '_elements'],
  [[{ name: '_typeFilter', valueString: 'Patient?nope=1' }], 'not-supported', '_typeFilter'],
  [[{ name: 'includeAssociatedData', valueString: 'All' }], 'not-supported', 'includeAssociatedData'],
  [[{ name: 'patient', valueString: 'Patient/pat-1' }], 'value', 'patient'],
  [[{ name: 'patient', valueReference: 'Patient/pat-1' }], 'value', 'patient'],
  [[{ name: 'patient', valueReference: {} }], 'value', 'patient'],
  [[{ name: 'patient', valueReference: { reference: 'pat-1' } }], 'value', 'patient'],
  [[{ name: 'patient', valueReference: { reference: 'Group/pat-1' } }], 'value', 'patient'],
  [[{ name: 'patient', valueReference: { reference: 'https://other.example.org/fhir/r4/Patient/pat-1' } }], 'value', 'patient'],
  [[{ name: 'patient', valueReference: { identifier: { value: '1' } } }], 'value', 'patient'],
  [[{ name: 'patient', valueReference: { reference: 'Patient/pat-1' } }, {
    name: 'patient', valueReference: { reference: 'Patient/nobody' },
  }], 'value', 'patient: 1 of 2'],
  [[{ name: 'organizeOutputBy', valueString: 'Patient' }], 'not-supported', 'organizeOutputBy'],
  [[{ name: 'allowPartialManifests', valueBoolean: true }], 'not-supported', 'allowPartialManifests'],
  [[{ name: 'foo', valueInteger: 1 }], 'not-supported', 'foo'],
  [[{ name: '' }], 'not-supported', '""'],
]

/** [the request, status, issue code, what the message names] */
const bodies: Array<[Post, number, Issue, string]> = [
  [{ payload: '{' }, 400, 'invalid', 'JSON'],
  [{ payload: '\u0000' }, 400, 'invalid', 'JSON'],
  [{ payload: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'invalid', 'JSON'],
  [{ payload: ' ' }, 400, 'invalid', 'JSON'],
  [{ payload: 'null' }, 400, 'invalid', 'Parameters'],
  [{ payload: '[]' }, 400, 'invalid', 'Parameters'],
  [{ payload: '"Parameters"' }, 400, 'invalid', 'Parameters'],
  [{ payload: '{}' }, 400, 'invalid', 'Parameters'],
  [{ payload: '{"resourceType":"Patient"}' }, 400, 'invalid', 'Parameters'],
  [{ payload: '{"resourceType":"Parameters","parameter":{}}' }, 400, 'invalid', 'parameter'],
  [{ payload: '{"resourceType":"Parameters","parameter":[null]}' }, 400, 'invalid', 'parameter/0'],
  [{ payload: '{"resourceType":"Parameters","parameter":[{"valueString":"x"}]}' }, 400, 'invalid', 'name'],
  [{ payload: '{"resourceType":"Parameters","parameter":[{"name":1}]}' }, 400, 'invalid', 'parameter/0/name'],
  [{ query: '?_since=' + instant, parts: [{ name: '_since', valueInstant: instant }] }, 400, 'value', '_since'],
  [{ query: '?_outputFormat=ndjson', parts: [{ name: '_outputFormat', valueString: 'ndjson' }] }, 400, 'value', '_outputFormat'],
  [{ payload: 'x', type: 'text/plain' }, 415, 'not-supported', 'application/fhir+json'],
  [{ payload: '_type=Patient', type: 'application/x-www-form-urlencoded' }, 415, 'not-supported', 'application/fhir+json'],
  [{ payload: '<Parameters/>', type: 'application/fhir+xml' }, 415, 'not-supported', 'application/fhir+json'],
  [{ payload: '{}', type: '' }, 415, 'not-supported', 'application/fhir+json'],
  [{ payload: '{}', type: 'not a media type' }, 415, 'not-supported', 'content type'],
  [{ payload: '{}', headers: { 'content-encoding': 'gzip' } }, 415, 'not-supported', 'compressed'],
  [{ payload: 'x'.repeat(2 ** 20 + 1) }, 413, 'too-long', 'too large'],
  [{ path: '/$export', parts: [{ name: 'patient', valueReference: { reference: 'Patient/pat-1' } }] }, 400, 'value', 'patient'],
  [
    { path: '/Group/g-1/$export', parts: [{ name: 'patient', valueReference: { reference: 'Patient/pat-2' } }] }, 400, 'value',
    'patient: 1 of 1',
  ],
  [{ path: '/Group/nope/$export' }, 404, 'not-found', 'group'],
  [{ path: '/Group/nope/$export', query: '?_type=Observation' }, 404, 'not-found', 'group'],
  [{ claims: patient, parts: [{ name: 'patient', valueReference: { reference: 'Patient/pat-2' } }] }, 403, 'forbidden', 'patient'],
  [{ claims: { ...admin, scope: 'system/Patient.rs' }, query: '?_type=Patient,Consent' }, 403, 'forbidden', 'Consent'],
  [{ claims: patient, path: '/$export' }, 403, 'forbidden', 'ADMIN'],
  [{ claims: patient, path: '/Group/g-1/$export', payload: '{' }, 403, 'forbidden', 'ADMIN'],
]

t.test('malformed requests are refused with a message that names the parameter, and start nothing', async (t) => {
  const api = await startApi(t)
  await givenPatients(api, ['pat-1', 'pat-2'])
  await givenGroup(api, 'g-1', [{ patient: 'pat-1' }])

  for (const [query, issue, names] of queries) {
    for (const path of ['/Patient/$export', '/$export', '/Group/g-1/$export']) {
      const response = await api.app.inject({ url: `/fhir/r4${path}?${query}`, headers: bearer(admin) })
      checkRefusal(t, response, [`GET ${path}?${query}`, 400, issue, names])
    }
    checkRefusal(t, await post(api, { query: `?${query}` }), [`POST ?${query}`, 400, issue, names])
  }
  for (const [parameter, issue, names] of parts) {
    checkRefusal(t, await post(api, { parts: parameter }), [`POST ${JSON.stringify(parameter)}`, 400, issue, names])
  }
  for (const [request, ...expected] of bodies) {
    checkRefusal(t, await post(api, request), [`POST ${JSON.stringify(request).slice(0, 100)}`, ...expected])
  }

  t.strictSame(await api.db.selectFrom('bulk_export_jobs').selectAll().execute(), [])
})
