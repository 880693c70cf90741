import t from 'tap'
import { startApi } from '../fixtures/api.ts'
import { admin, kickOff, patient, statusPath } from '../fixtures/exports.ts'
import { bearer } from '../fixtures/token.ts'

t.test('a caller that polls an export too hotly is told so, before the database is asked', async (t) => {
  let asked = 0
  const api = await startApi(t, {
    wrap: ({ db }) => ({
      db: new Proxy(db, {
        get (target, name) {
          if (name === 'selectFrom') asked += 1
          const value = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
    }),
  })
  const id = await kickOff(api, { claims: patient })
  asked = 0
  const poll = async (claims: object, method: 'GET' | 'HEAD', url: string) => await api.app.inject({ method, url, headers: bearer(claims) })

  // Other tokens of the same patient, HEAD and another spelling of the id are the same caller and export.
  const again = { ...patient, jti: 'another', patient_id: undefined, fhirUser: 'Patient/pat-1' }
  const responses = await Promise.all(Array.from({ length: 40 }, async (_, n) => n % 2 === 0
    ? await poll(patient, 'GET', statusPath(id))
    : await poll(again, 'HEAD', statusPath(id.toUpperCase()))))
  const answered = responses.filter(({ statusCode }) => statusCode === 200)
  const refused = responses.filter(({ statusCode }) => statusCode === 429)
  t.equal(answered.length + refused.length, 40)
  t.ok(answered.length >= 10, 'a burst of ten')
  t.ok(refused.length > 0, 'no more')
  t.equal(asked, 2 * answered.length, 'the export, and for how long no worker was seen: of the answered alone')
  for (const { headers, body } of refused) {
    t.equal(headers['retry-after'], '1')
    t.match(headers, { 'content-type': /^application\/fhir\+json/, 'cache-control': 'no-store' })
    if (body !== '') t.match(JSON.parse(body), { issue: [{ code: 'throttled', details: { coding: [{ code: 'too-many-requests' }] } }] })
  }
  t.notOk(Object.keys(responses[0]?.headers ?? {}).some((name) => name.startsWith('x-ratelimit')))

  t.equal((await poll(admin, 'GET', statusPath(id))).statusCode, 200, 'another caller is not held back')
  t.equal((await poll(patient, 'GET', statusPath(await kickOff(api, { claims: patient })))).statusCode, 200, 'nor another export')
  t.equal((await api.app.inject({ method: 'DELETE', url: statusPath(id), headers: bearer(patient) })).statusCode, 204, 'nor a DELETE')
})
