import { createHmac, randomBytes } from 'node:crypto'
import t from 'tap'
import { startApi } from '../fixtures/api.ts'
import { admin, filePath, statusPath } from '../fixtures/exports.ts'
import { bearer, inSeconds, secret, signToken, unsignedToken } from '../fixtures/token.ts'

const id = '00000000-0000-4000-8000-000000000000'
const kickOffPath = '/fhir/r4/Patient/$export'

t.test('a token that is not good is 401 on every route, before anything else', async (t) => {
  const { app, logLines } = await startApi(t)
  const [header = '', payload = '', signature = ''] = signToken(admin).split('.')
  const rawPayload = (json: string) => {
    const input = `${header}.${Buffer.from(json).toString('base64url')}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const cases: Record<string, string | undefined> = {
    none: undefined,
    empty: '',
    'another scheme': `Basic ${signToken(admin)}`,
    'no scheme': signToken(admin),
    'nothing after the scheme': 'Bearer',
    'two tokens': `Bearer ${signToken(admin)} ${signToken(admin)}`,
    garbled: 'Bearer garbage',
    'garbled parts': 'Bearer a.b.c',
    'random parts': `Bearer ${[1, 2, 3].map(() => randomBytes(40).toString('base64url')).join('.')}`,
    'no signature': `Bearer ${header}.${payload}.`,
    'changed payload': `Bearer ${header}.${Buffer.from('{"role":"ADMIN","exp":9999999999}').toString('base64url')}.${signature}`,
    'wrongly signed': `Bearer ${signToken(admin, { key: 'another secret that is long enough' })}`,
    'alg none': `Bearer ${unsignedToken(admin)}`,
    'alg none with a signature': `Bearer ${unsignedToken(admin)}${signature}`,
    expired: `Bearer ${signToken({ ...admin, exp: inSeconds(-61) })}`,
    'without exp': `Bearer ${signToken({ ...admin, exp: undefined })}`,
    'exp null': `Bearer ${signToken({ ...admin, exp: null })}`,
    'exp as text': `Bearer ${signToken({ ...admin, exp: String(inSeconds(60)) })}`,
    'not yet valid': `Bearer ${signToken({ ...admin, nbf: inSeconds(120) })}`,
    'issuer of a wrong type': `Bearer ${signToken({ ...admin, iss: 7 })}`,
    'payload null': `Bearer ${rawPayload('null')}`,
    'payload a list': `Bearer ${rawPayload('[]')}`,
    'payload a text': `Bearer ${rawPayload('"text"')}`,
    'payload no JSON': `Bearer ${rawPayload('{')}`,
  }
  for (const [name, authorization] of Object.entries(cases)) {
    for (const [method, url] of [
      ['GET', `${kickOffPath}?foo=bar`], ['GET', statusPath(id)], ['DELETE', statusPath('nope')], ['GET', filePath(id, 'x')],
    ] as const) {
      const response = await app.inject({ method, url, headers: authorization === undefined ? {} : { authorization } })
      t.equal(response.statusCode, 401, `${name}: ${method} ${url}`)
      t.equal(response.headers['www-authenticate'], authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"')
      t.match(response.headers, { 'content-type': /^application\/fhir\+json/, 'cache-control': 'no-store' })
      t.match(response.json(), { issue: [{ severity: 'error', code: 'login', details: { coding: [{ code: 'unauthorized' }] } }] })
    }
  }
  t.notOk(logLines.some((line) => line.includes(payload) || line.includes('garbage')), 'no token is logged')
})

t.test('good tokens: each algorithm, and a clock that is a minute off', async (t) => {
  const { app } = await startApi(t)
  for (const [name, token] of Object.entries({
    HS256: signToken(admin),
    HS384: signToken(admin, { algorithm: 'HS384' }),
    HS512: signToken(admin, { algorithm: 'HS512' }),
    'expired just now': signToken({ ...admin, exp: inSeconds(-30) }),
    'valid soon': signToken({ ...admin, nbf: inSeconds(30) }),
    'any issuer and audience': signToken({ ...admin, iss: 'https://anybody.example', aud: ['x'] }),
  })) {
    for (const scheme of ['Bearer', 'bearer']) {
      const response = await app.inject({ url: statusPath(id), headers: { authorization: `${scheme} ${token}` } })
      t.equal(response.statusCode, 404, name)
    }
  }
})

t.test('an issuer and an audience that are configured are required', async (t) => {
  const { app } = await startApi(t, { environment: { JWT_ISSUER: 'https://issuer.example.org', JWT_AUDIENCE: 'bulk' } })
  for (const [claims, status] of [
    [{ iss: 'https://issuer.example.org', aud: 'bulk' }, 404],
    [{ iss: 'https://issuer.example.org', aud: ['other', 'bulk'] }, 404],
    [{ iss: 'https://issuer.example.org' }, 401],
    [{ aud: 'bulk' }, 401],
    [{ iss: 'https://issuer.example.org/', aud: 'bulk' }, 401],
    [{ iss: 'https://issuer.example.org', aud: 'bulk2' }, 401],
  ] as const) {
    const response = await app.inject({ url: statusPath(id), headers: bearer({ role: 'ADMIN', ...claims }) })
    t.equal(response.statusCode, status, JSON.stringify(claims))
  }
})

t.test('a good token without a role of ours, or of a PATIENT without a patient, is 403 before the parameters are looked at', async (t) => {
  const { app, db } = await startApi(t)
  for (const claims of [
    {}, { role: 'NURSE' }, { role: 'PATIENT' }, { role: 'PATIENT', sub: 'pat-1' }, { role: 'PATIENT', patient_id: '' },
    { role: 'PATIENT', patient_id: 'Patient/1' },
  ]) {
    for (const url of [`${kickOffPath}?foo=bar`, kickOffPath, statusPath('nope'), filePath(id, 'x')]) {
      const response = await app.inject({ url, headers: bearer(claims) })
      t.equal(response.statusCode, 403, `${JSON.stringify(claims)}: ${url}`)
      t.match(response.json(), { issue: [{ code: 'forbidden', details: { coding: [{ code: 'forbidden' }] } }] })
    }
  }
  t.strictSame(await db.selectFrom('bulk_export_jobs').select('id').execute(), [])
})
