import t from 'tap'
import { startApi } from '../fixtures/api.ts'
import { admin, complete, filePath, kickOff, statusPath } from '../fixtures/exports.ts'
import { givenGroup } from '../fixtures/source.ts'
import { bearer } from '../fixtures/token.ts'

const headers = bearer(admin)

async function startWithAll (t: Parameters<typeof startApi>[0]) {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '100', MAX_KICK_OFFS_PER_MINUTE: '100' } })
  const id = await kickOff(api)
  await complete(api, id, [{ name: 'Patient.1.ndjson', type: 'Patient', body: '{"resourceType":"Patient","id":"1"}\n' }])
  await givenGroup(api, 'g-1', [])
  const addresses = [
    ['/fhir/r4/metadata', 200], ['/fhir/r4/CodeSystem/error-code', 200], ['/fhir/r4/Patient/$export', 202], ['/fhir/r4/$export', 202],
    ['/fhir/r4/Group/g-1/$export', 202],
    ['/fhir/r4/Group', 200], ['/fhir/r4/Group/g-1', 200], ['/fhir/r4/$export-status', 200], [statusPath(id), 200],
    [filePath(id, 'Patient.1.ndjson'), 200],
  ] as const
  return { api, id, addresses }
}

t.test('_format=json, by any of its names, and _pretty are taken everywhere', async (t) => {
  const { api: { app }, addresses } = await startWithAll(t)
  for (const query of [
    '_format=json&_pretty=true', '_format=application/fhir%2Bjson', '_format=application/fhir+json',
    '_format=application/json&_pretty=false', '_format=text/json', '_format=application/fhir%2Bjson;fhirVersion=4.0',
  ]) {
    for (const [url, status] of addresses) {
      t.equal((await app.inject({ url: `${url}?${query}`, headers })).statusCode, status, `${url}?${query}`)
    }
  }
})

t.test('in the body of a POST, too', async (t) => {
  const { api: { app } } = await startWithAll(t)
  const payload = (format: string) => ({
    resourceType: 'Parameters', parameter: [{ name: '_format', valueString: format }, { name: '_pretty', valueBoolean: true }],
  })
  t.equal((await app.inject({ method: 'POST', url: '/fhir/r4/Patient/$export', headers, payload: payload('json') })).statusCode, 202)
  t.equal((await app.inject({ method: 'POST', url: '/fhir/r4/Patient/$export', headers, payload: payload('xml') })).statusCode, 406)
  const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' }
  t.equal(
    (await app.inject({ method: 'POST', url: '/fhir/r4/Group/_search', headers: form, payload: '_format=json&_pretty=true' })).statusCode,
    200
  )
  t.equal((await app.inject({ method: 'POST', url: '/fhir/r4/Group/_search', headers: form, payload: '_format=xml' })).statusCode, 406)
})

t.test('an Accept of XML alone, and another _format, are 406 everywhere; JSON among others, or no word about it, is not', async (t) => {
  const { api: { app, db }, addresses } = await startWithAll(t)
  const exportsBefore = await db.selectFrom('bulk_export_jobs').select('id').execute()
  for (const [url] of addresses) {
    for (const accept of ['application/fhir+xml', 'application/xml, text/xml;q=0.5', 'application/fhir+xml, application/json;q=0']) {
      const response = await app.inject({ url, headers: { ...headers, accept } })
      t.equal(response.statusCode, 406, `${url} ${accept}`)
      t.match(response.json(), {
        resourceType: 'OperationOutcome', issue: [{ code: 'not-supported', details: { coding: [{ code: 'not-acceptable' }] } }],
      })
    }
    for (const format of ['xml', 'application/fhir%2Bxml', 'ttl', 'ndjson', '']) {
      t.equal((await app.inject({ url: `${url}?_format=${format}`, headers })).statusCode, 406, `${url}?_format=${format}`)
    }
    for (const query of ['_format=json&_format=json', '_pretty=1', '_pretty=true&_pretty=true']) {
      t.equal((await app.inject({ url: `${url}?${query}`, headers })).statusCode, 400, `${url}?${query}`)
    }
  }
  t.equal((await db.selectFrom('bulk_export_jobs').select('id').execute()).length, exportsBefore.length, 'nothing was started')
  for (const accept of ['application/fhir+xml, */*;q=0.1', 'text/html', '*/*', 'application/fhir+xml, application/fhir+json;q=0.2']) {
    for (const [url, status] of addresses.slice(5)) {
      t.equal((await app.inject({ url, headers: { ...headers, accept } })).statusCode, status, `${url} ${accept}`)
    }
  }
  t.equal(
    (await app.inject({ url: '/fhir/r4/metadata?_format=json', headers: { accept: 'application/fhir+xml' } })).statusCode, 200,
    '_format counts more than Accept'
  )
})

t.test('without a token it is 401, whatever is accepted', async (t) => {
  const { api: { app }, id } = await startWithAll(t)
  t.equal((await app.inject({ url: statusPath(id), headers: { accept: 'application/xml' } })).statusCode, 401)
})
