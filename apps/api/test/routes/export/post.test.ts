import t from 'tap'
import { publicUrl, requestOverSocket, startApi } from '../../fixtures/api.ts'
import { admin } from '../../fixtures/exports.ts'
import { acceptedRow, post } from '../../fixtures/kick-off.ts'
import { givenPatients } from '../../fixtures/source.ts'
import { bearer } from '../../fixtures/token.ts'

const all = ['Patient', 'Consent', 'DocumentReference', 'Provenance']

t.test('Parameters come as either JSON, with every parameter', async (t) => {
  const api = await startApi(t)
  await givenPatients(api, ['pat-1', 'pat-2'])
  const parts = [
    { name: '_type', valueString: 'Patient,Consent', id: 'a', extension: [] },
    { name: '_type', valueCode: 'Provenance' },
    { name: '_since', valueInstant: '2026-01-01T00:00:00Z' },
    { name: '_until', valueInstant: '2026-02-01T00:00:00+01:00' },
    { name: '_outputFormat', valueString: 'application/fhir+ndjson' },
    { name: '_elements', valueString: 'Patient.name,id' },
    { name: '_typeFilter', valueString: 'Patient?gender=male' },
    { name: 'includeAssociatedData', valueCode: 'LatestProvenanceResources' },
    { name: 'patient', valueReference: { reference: 'Patient/pat-1' } },
    { name: 'patient', valueReference: { reference: `${publicUrl}/fhir/r4/Patient/pat-2`, display: 'x' } },
  ]
  for (const type of ['application/fhir+json', 'application/json', 'Application/JSON; charset=utf-8']) {
    t.match(await acceptedRow(api, await post(api, { parts, type })), {
      types: ['Patient', 'Consent', 'Provenance'],
      parameters: {
        _since: '2026-01-01T00:00:00.000000Z',
        _until: '2026-01-31T23:00:00.000000Z',
        _elements: ['Patient.name', 'id'],
        _typeFilter: ['Patient?gender=male'],
        includeAssociatedData: ['LatestProvenanceResources'],
        patient: ['pat-1', 'pat-2'],
      },
      ignored: [],
    }, type)
  }
})

t.test('query and body make one list', async (t) => {
  const api = await startApi(t)
  const response = await post(api, {
    query: '?_type=Patient&_elements=id&_typeFilter=Patient%3Fgender%3Dmale',
    parts: [{
      name: '_type', valueString: 'Consent,Patient',
    }, { name: '_elements', valueString: 'meta' }, { name: '_typeFilter', valueString: 'Consent?status=active' }]
  })
  t.match(await acceptedRow(api, response), {
    types: ['Patient', 'Consent'],
    parameters: { _elements: ['id', 'meta'], _typeFilter: ['Patient?gender=male', 'Consent?status=active'] },
  })
})

t.test('an empty body of any type or none is no parameters', async (t) => {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '20' } })
  for (const type of [
    '', 'application/fhir+json', 'application/json', 'text/plain', 'application/x-www-form-urlencoded', 'not a media type',
  ]) {
    for (const headers of [{}, { 'content-length': '0' }]) {
      t.strictSame((await acceptedRow(api, await post(api, { type, headers }))).types, all, type)
    }
  }
  t.strictSame((await acceptedRow(api, await post(api, { query: '?_type=Consent' }))).types, ['Consent'])
  t.strictSame((await acceptedRow(api, await post(api, { payload: '{"resourceType":"Parameters"}' }))).types, all)
  t.strictSame((await acceptedRow(api, await post(api, { payload: '\uFEFF{"resourceType":"Parameters","parameter":[]}' }))).types, all)
})

t.test('an empty body that is sent in chunks, too', async (t) => {
  const { app } = await startApi(t)
  const { statusCode } = await requestOverSocket(app, {
    method: 'POST',
    path: '/fhir/r4/Patient/$export',
    headers: { ...bearer(admin), 'content-type': 'text/plain', 'transfer-encoding': 'chunked' },
  })
  t.equal(statusCode, 202)
})

t.test('a lenient request is accepted with what it ignored, and never holds more for it', async (t) => {
  const api = await startApi(t)
  for (const prefer of [
    'handling=lenient', 'respond-async, handling="lenient"', 'Handling=Lenient;x=y', 'foo=bar, handling = lenient, handling=strict',
  ]) {
    const row = await acceptedRow(api, await post(api, {
      prefer, query: '?_type=Observation&foo=1', parts: [{ name: 'allowPartialManifests', valueBoolean: true }],
    }))
    t.strictSame(row.types, [])
    t.match(row.ignored, [/"foo"/, /allowPartialManifests/, /_type: Observation/])
  }
  for (const prefer of [
    'handling=strict', 'handling=strict, handling=lenient', 'handling', 'x="handling=lenient"', 'respond-async; handling=lenient',
  ]) {
    t.equal((await post(api, { prefer, query: '?foo=1' })).statusCode, 400, prefer)
  }
  for (const query of ['_since=x', '_until=x', '_outputFormat=x', 'patient=Patient/x']) {
    t.equal((await post(api, { prefer: 'handling=lenient', query: `?${query}` })).statusCode, 400, query)
  }
  for (const value of [{ valueString: 'Patient/x' }, { valueReference: { reference: 'x' } }]) {
    t.equal((await post(api, { prefer: 'handling=lenient', parts: [{ name: 'patient', ...value }] })).statusCode, 400)
  }
})
