import { disableClient } from '@fhir-bulk-export/core/clients'
import { sql } from 'kysely'
import t from 'tap'
import { createBackendClient, createClientKey } from '../../fixtures/backend-client.ts'
import { get, listen, register, type ListeningApi } from '../../fixtures/client-service.ts'
import { complete } from '../../fixtures/exports.ts'
import { createSigningKey, startJwksServer } from '../../fixtures/jwks.ts'
import { bearer } from '../../fixtures/token.ts'

const ec = await createClientKey('ES384', 'ec')
const [client, neighbour] = [createBackendClient('lab', ec), createBackendClient('clinic', ec)]

async function givenGroups ({ db }: ListeningApi): Promise<void> {
  await sql`INSERT INTO source.patients (id) VALUES ('p1'), ('p2')`.execute(db)
  await sql`INSERT INTO source.patient_groups (id, name) VALUES ('g1', 'one'), ('g2', 'two'), ('g3', 'three')`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) VALUES ('m1', 'g1', 'p1'), ('m2', 'g2', 'p2')`.execute(db)
}

t.test('a client that is held to groups exports and reads these, and nothing else, whether it is there or not', async (t) => {
  const api = await listen(t)
  const { base, tokenUrl } = api
  await givenGroups(api)
  await register(api, client, { groups: ['g1', 'g3', 'gone'] })
  const { access_token: token } = await client.getToken(tokenUrl, 'system/*.rs')
  for (const [path, status] of [
    ['/Group/g1/$export', 202], ['/Group/g2/$export', 403], ['/Group/none/$export', 403], ['/Group/gone/$export', 404],
    ['/Patient/$export', 403], ['/$export', 403],
    ['/Group/g3', 200], ['/Group/g2', 403], ['/Group/none', 403], ['/Group/gone', 404],
  ] as const) {
    t.equal((await get(`${base}${path}`, token)).status, status, path)
  }
  for (const path of ['/Patient/$export', '/$export', '/Group/g2/$export']) {
    t.equal((await get(`${base}${path}`, token, { method: 'POST' })).status, 403, `POST ${path}`)
  }
  const { entry } = JSON.parse((await get(`${base}/Group`, token)).text) as { entry: Array<{ resource: { id: string } }> }
  t.strictSame(entry.map(({ resource: { id } }) => id), ['g1', 'g3'])
  t.match(JSON.parse((await get(`${base}/Group?_count=0`, token)).text), { total: 2 })
  t.match(JSON.parse((await get(`${base}/Group?name=two`, token)).text), { total: 0, entry: undefined })
})

t.test('it sees what it started itself, and no other export', async (t) => {
  const api = await listen(t)
  const { base, tokenUrl } = api
  await givenGroups(api)
  await register(api, client, { groups: ['g1'] })
  await register(api, neighbour)
  const [{ access_token: held }, { access_token: free }] = await Promise.all([
    client.getToken(tokenUrl, 'system/*.rs'), neighbour.getToken(tokenUrl, 'system/*.rs'),
  ])
  const own = (await get(`${base}/Group/g1/$export`, held)).headers.get('content-location') ?? ''
  const others = (await get(`${base}/Group/g1/$export`, free)).headers.get('content-location') ?? ''
  for (const status of [own, others]) {
    await complete(api, status.slice(-36), [
      { name: 'Patient.1.ndjson', type: 'Patient', body: '{"resourceType":"Patient","id":"p1"}\n' },
    ])
  }
  const fileOf = (status: string) => `${status.replace('$export-status', '$export-file')}/Patient.1.ndjson`
  for (const [url, mine, theirs] of [[own, 200, 200], [fileOf(own), 200, 200], [others, 403, 200], [fileOf(others), 403, 200]] as const) {
    t.equal((await get(url, held)).status, mine, url)
    t.equal((await get(url, free)).status, theirs, url)
  }
  t.equal((await get(others, held, { method: 'DELETE' })).status, 403)
  const { exports } = JSON.parse((await get(`${base}/$export-status`, held)).text) as { exports: Array<{ url: string }> }
  t.strictSame(exports.map(({ url }) => url), [own])
})

t.test('a client has limits of its own, and what it does not have of its own is the service\'s', async (t) => {
  const api = await listen(t, { MAX_ACTIVE_EXPORTS: '2', MAX_REQUESTS_PER_MINUTE: '6000' })
  const { base, tokenUrl } = api
  await register(api, client, { limits: { max_active_exports: 1, max_requests_per_minute: 20 } })
  await register(api, neighbour, { limits: { max_kick_offs_per_minute: 1 } })
  const [{ access_token: one }, { access_token: other }] = await Promise.all([
    client.getToken(tokenUrl, 'system/*.rs'), neighbour.getToken(tokenUrl, 'system/*.rs'),
  ])
  const kickOff = async (token: string) => await get(`${base}/Patient/$export`, token)
  t.equal((await kickOff(one)).status, 202)
  const refused = await kickOff(one)
  t.match({ status: refused.status, text: refused.text }, { status: 429, text: /1 exports are under way/ })
  t.equal((await kickOff(other)).status, 202)
  const tooMany = await kickOff(other)
  t.match({ status: tooMany.status, text: tooMany.text }, { status: 429, text: /1 exports were started within a minute/ })

  const statuses = await Promise.all(Array.from({ length: 60 }, async () => (await get(`${base}/Group`, one)).status))
  t.ok(statuses.includes(200))
  t.ok(statuses.includes(429), 'more than 20 requests in a minute')
  const others = await Promise.all(Array.from({ length: 60 }, async () => (await get(`${base}/Group`, other)).status))
  t.notOk(others.includes(429))
})

t.test('beside an outside issuer there are clients of ours, and neither\'s tokens are taken for the other\'s', async (t) => {
  const key = await createSigningKey('RS256', 'outside')
  const issuer = await startJwksServer(t, key.jwk)
  const api = await listen(t, {
    JWKS_URL: issuer.url,
    JWT_ISSUER: 'https://issuer.example.org',
    JWT_AUDIENCE: 'bulk',
    TOKEN_ENDPOINT_URL: 'https://issuer.example.org/token',
  })
  const { base, tokenUrl } = api
  await register(api, client)
  const outside = { iss: 'https://issuer.example.org', aud: 'bulk', scope: 'system/*.rs', sub: 'them' }
  const { access_token: own } = await client.getToken(tokenUrl, 'system/*.rs')
  const ask = async (token: string) => (await get(`${base}/Group`, token)).status
  t.equal(await ask(own), 200)
  t.equal(await ask(await key.sign(outside)), 200)
  t.equal(
    await ask(await key.sign({ ...outside, iss: `${base.replace('/fhir/r4', '')}/auth`, aud: base, client_id: 'lab' })), 401,
    'our name under their key'
  )
  t.equal(await ask(bearer(outside).authorization.slice('Bearer '.length)), 401, 'their name under our key')
  t.equal(await ask(bearer({ role: 'ADMIN' }).authorization.slice('Bearer '.length)), 401, 'nobody\'s name under our key')
  t.match(await client.discover(base), { token_endpoint: 'https://issuer.example.org/token' })
  await disableClient(api.db, 'lab')
  t.equal(await ask(own), 401)
  t.equal(await ask(await key.sign(outside)), 200)
})

t.test('token requests in a client\'s name, and from an address, are so many a minute; the others go on', async (t) => {
  const api = await listen(t)
  const { tokenUrl } = api
  await register(api, client)
  await register(api, neighbour)
  const strange = await createClientKey('ES384', 'ec')
  const form = await client.form(tokenUrl, 'system/*.rs', await client.assert(tokenUrl, { key: strange.privateKey }))
  const answers = await Promise.all(Array.from({ length: 80 }, async () => await client.ask(tokenUrl, form)))
  const refused = answers.filter(({ status }) => status === 429)
  t.ok(refused.length > 0 && refused.length <= 20)
  t.match(refused[0]?.body, { error: 'temporarily_unavailable', error_description: /60 token requests/ })
  t.match(refused[0]?.headers.get('retry-after'), /^[1-9]/)
  t.match(await neighbour.getToken(tokenUrl, 'system/*.rs'), { token_type: 'bearer' })
  const malformed = await Promise.all(Array.from({ length: 700 }, async () => (await client.ask(tokenUrl, {})).status))
  t.ok(malformed.includes(429))
})

t.test('without the database nobody gets a token, and no token is taken for good or bad', async (t) => {
  const api = await listen(t)
  const { base, tokenUrl } = api
  await register(api, client)
  const { access_token: token } = await client.getToken(tokenUrl, 'system/*.rs')
  await api.db.schema.alterTable('bulk_export_clients').renameTo('elsewhere').execute()
  t.match(await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs')), { status: 500, body: { error: 'server_error' } })
  t.equal((await get(`${base}/Group`, token)).status, 500)
})
