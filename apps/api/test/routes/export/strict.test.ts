import t from 'tap'
import { startApi } from '../../fixtures/api.ts'
import { admin } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const url = '/fhir/r4/Patient/$export'
const cases = [
  [{ accept: 'application/fhir+json', prefer: 'respond-async' }, null],
  [{ accept: 'application/fhir+json, */*; q=0.1', prefer: 'handling=lenient, respond-async, separate-export-status' }, null],
  [{ prefer: 'respond-async' }, /Accept/],
  [{ accept: '*/*', prefer: 'respond-async' }, /Accept/],
  [{ accept: 'application/json', prefer: 'respond-async' }, /Accept/],
  [{ accept: 'application/fhir+json;q=0', prefer: 'respond-async' }, /Accept/],
  [{ accept: 'application/fhir+json' }, /respond-async/],
  [{ accept: 'application/fhir+json', prefer: 'separate-export-status' }, /respond-async/],
  [{ accept: 'application/fhir+json', prefer: 'return=minimal' }, /respond-async/],
] as const

t.test('BULK_DATA_STRICT asks for both headers; by default neither is needed', async (t) => {
  const strict = await startApi(t, { environment: { BULK_DATA_STRICT: 'true', MAX_ACTIVE_EXPORTS: '50' } })
  const tolerant = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '50' } })
  for (const [headers, problem] of cases) {
    for (const method of ['GET', 'POST'] as const) {
      const request = { method, url, headers: { ...bearer(admin), ...headers } }
      t.equal((await tolerant.app.inject(request)).statusCode, 202, JSON.stringify(headers))
      const response = await strict.app.inject(request)
      t.equal(response.statusCode, problem === null ? 202 : 400, JSON.stringify(headers))
      if (problem !== null) {
        t.match(response.json(), {
          issue: [{ code: 'invalid', details: { coding: [{ code: 'bad-request' }] }, diagnostics: problem }],
        })
      }
    }
  }
})
