import type { Bundle, Group } from 'fhir/r4.js'
import { sql } from 'kysely'
import t from 'tap'
import { publicUrl, startApi } from '../../fixtures/api.ts'
import { admin, patient } from '../../fixtures/exports.ts'
import { givenGroup, givenPatients } from '../../fixtures/source.ts'
import { bearer } from '../../fixtures/token.ts'

const base = `${publicUrl}/fhir/r4/Group`

t.test('a group is read with its members', async (t) => {
  const api = await startApi(t)
  await givenPatients(api, ['gone'], { deleted: true })
  await givenGroup(api, 'g-1', [
    { patient: 'pat-1', start: '2024-01', end: '2999' },
    { patient: 'pat-2', inactive: true },
    { patient: 'pat-3', deleted: true },
    { patient: 'gone' },
  ], { name: 'Cardiology' })
  const response = await api.app.inject({ url: '/fhir/r4/Group/g-1', headers: bearer(admin) })
  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'content-type': /^application\/fhir\+json/, 'cache-control': 'no-store' })
  const { meta, ...group } = response.json()
  t.match(meta, { lastUpdated: /^\d{4}-\d\d-\d\dT.*Z$/ })
  t.strictSame(group, {
    resourceType: 'Group',
    id: 'g-1',
    type: 'person',
    actual: true,
    quantity: 2,
    active: true,
    name: 'Cardiology',
    member: [
      { entity: { reference: 'Patient/pat-1' }, period: { start: '2024-01', end: '2999' } },
      { entity: { reference: 'Patient/pat-2' }, inactive: true },
    ],
  })
})

t.test('groups are listed in a searchset, without those that were deleted', async (t) => {
  const api = await startApi(t)
  const list = async () => (await api.app.inject({ url: '/fhir/r4/Group', headers: bearer(admin) })).json()
  t.strictSame(await list(), {
    resourceType: 'Bundle', type: 'searchset', total: 0, link: [{ relation: 'self', url: `${base}?_count=100` }],
  })
  await givenGroup(api, 'b', [])
  await givenGroup(api, 'a', [{ patient: 'pat-1' }])
  await givenGroup(api, 'c', [{ patient: 'pat-1' }], { deleted: true })
  const { total, link, entry } = await list()
  t.equal(total, 2)
  t.strictSame(link, [{ relation: 'self', url: `${base}?_count=100` }])
  t.match(entry, [
    {
      fullUrl: `${base}/a`,
      resource: { id: 'a', quantity: 1, member: [{ entity: { reference: 'Patient/pat-1' } }] },
      search: { mode: 'match' },
    },
    { fullUrl: `${base}/b`, resource: { id: 'b', quantity: 0 } },
  ])
  t.equal(entry.length, 2)
})

t.test('in the list a large group has no members, and says that it is not whole', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'large', [])
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id)
    SELECT 'm-' || n, 'large', 'p-' || n FROM generate_series(1, 1001) AS n`.execute(api.db)
  const { entry: [{ resource }] } = (await api.app.inject({ url: '/fhir/r4/Group', headers: bearer(admin) })).json()
  t.equal(resource.quantity, 1001)
  t.notOk(resource.member)
  t.match(resource.meta.tag, [{ code: 'SUBSETTED' }])
  const whole = (await api.app.inject({ url: '/fhir/r4/Group/large', headers: bearer(admin) })).json()
  t.equal(whole.member.length, 1001)
  t.notOk(whole.meta.tag)
})

t.test('unknown and deleted groups are 404, an unknown search parameter 400, a PATIENT 403', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'gone', [], { deleted: true })
  for (const id of ['nope', 'gone', '%27', '%00', 'x'.repeat(99)]) {
    const response = await api.app.inject({ url: `/fhir/r4/Group/${id}`, headers: bearer(admin) })
    t.equal(response.statusCode, 404, id)
    t.match(response.json(), { issue: [{ code: 'not-found' }] })
  }
  const searched = await api.app.inject({ url: '/fhir/r4/Group?member=x', headers: bearer(admin) })
  t.equal(searched.statusCode, 400)
  t.match(searched.json(), {
    issue: [{ code: 'not-supported', diagnostics: /member is not supported: Group takes _id, identifier, name/ }],
  })
  for (const path of ['Group', 'Group/gone', 'Group/nope']) {
    t.equal((await api.app.inject({ url: `/fhir/r4/${path}`, headers: bearer(patient) })).statusCode, 403)
    t.equal((await api.app.inject({ url: `/fhir/r4/${path}` })).statusCode, 401)
  }
})

t.test('a group that cannot be read is left out, and the log tells', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'g-1', [{ patient: 'pat-1' }])
  await givenGroup(api, 'g-2', [])
  await sql`UPDATE source.patient_groups SET code = '"not a CodeableConcept"' WHERE id = 'g-2'`.execute(api.db)
  t.equal((await api.app.inject({ url: '/fhir/r4/Group/g-2', headers: bearer(admin) })).statusCode, 404)
  t.match((await api.app.inject({ url: '/fhir/r4/Group', headers: bearer(admin) })).json(), {
    total: 1, entry: [{ resource: { id: 'g-1' } }],
  })
  t.ok(api.logLines.some((line) => line.includes('a group cannot be read')))
  t.notOk(api.logLines.some((line) => line.includes('not a CodeableConcept')))
})

t.test('a group that is a `resource` comes as it is, digit by digit', async (t) => {
  const api = await startApi(t)
  const characteristic = '[{"code":{"text":"weight"},"valueQuantity":{"value":10.00},"exclude":false}]'
  await sql`INSERT INTO source.patient_groups (id, resource)
    VALUES ('g-1', ${`{"resourceType":"Group","type":"device","actual":false,"characteristic":${characteristic}}`}::json)`.execute(api.db)
  for (const path of ['Group', 'Group/g-1']) {
    t.match(
      (await api.app.inject({ url: `/fhir/r4/${path}`, headers: bearer(admin) })).body,
      `"type":"device","actual":false,"characteristic":${characteristic}`
    )
  }
})

t.test('many groups come in pages, each group once, and no page is longer than another for the members in it', async (t) => {
  const api = await startApi(t)
  await sql`INSERT INTO source.patient_groups (id, active, name)
    SELECT 'g-' || n, true, 'a group' FROM generate_series(1, 230) AS n`.execute(api.db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id)
    SELECT g || '-' || n, 'g-' || g, 'p-' || n FROM generate_series(1, 230) AS g, generate_series(1, 20) AS n`.execute(api.db)
  const ids: string[] = []
  const pages: number[] = []
  let url: string | undefined = '/fhir/r4/Group'
  while (url !== undefined) {
    const bundle: Bundle<Group> = (await api.app.inject({ url, headers: bearer(admin) })).json()
    const found = (bundle.entry ?? []).map(({ resource }) => resource)
    ids.push(...found.map((group) => group?.id ?? ''))
    pages.push(found.length)
    t.ok(found.reduce((sum, group) => sum + (group?.member?.length ?? 0), 0) <= 1_000)
    t.ok(found.every((group) => group?.quantity === 20), 'all say how many there are')
    url = bundle.link?.find(({ relation }) => relation === 'next')?.url.slice(publicUrl.length)
  }
  t.strictSame(pages, [100, 100, 30])
  t.equal(new Set(ids).size, 230)
  for (const query of ['?_after=a&_after=b', '?_after=%00', '?_after=a&_count=x', '?_count=-1', '?_count=1&_count=1', '?_count=']) {
    t.equal((await api.app.inject({ url: `/fhir/r4/Group${query}`, headers: bearer(admin) })).statusCode, 400, query)
  }
})

t.test('a group is found by id, identifier and name, by GET and by POST _search alike', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'g-1', [{ patient: 'pat-1' }], { name: 'Cardiology north' })
  await givenGroup(api, 'g-2', [], { name: 'CARDIOLOGY south' })
  await givenGroup(api, 'g-3', [], { name: 'Öncology' })
  await givenGroup(api, 'g-4', [], { name: 'Cardiology', deleted: true })
  await sql`UPDATE source.patient_groups SET identifier = '[{"system":"urn:x","value":"7"},{"value":"8"}]' WHERE id = 'g-1'`.execute(api.db)
  await sql`INSERT INTO source.patient_groups (id, resource) VALUES ('g-5',
    '{"resourceType":"Group","type":"person","actual":true,"name":"cardio","identifier":[{"system":"urn:y","value":"7"}]}')`.execute(api.db)
  for (const [query, expected] of [
    ['_id=g-1', ['g-1']], ['_id=g-3,g-1,nope', ['g-1', 'g-3']], ['_id=nope', []], ['_id=g-4', []],
    ['identifier=7', ['g-1', 'g-5']], ['identifier=urn:x|7', ['g-1']], ['identifier=|8', ['g-1']], ['identifier=urn:y|', ['g-5']],
    ['identifier=8&_id=g-5', []],
    ['name=cardio', ['g-1', 'g-2', 'g-5']], ['name=onc', ['g-3']], ['name:exact=Cardiology north', ['g-1']],
    ['name:contains=LOGY', ['g-1', 'g-2', 'g-3']],
    ['name=cardio&name:contains=south', ['g-2']], ['name=ardio', []], ["name=' OR true --", []], ['name:missing=true', []],
  ] as const) {
    const encoded = new URLSearchParams(query).toString()
    const bundles = [
      await api.app.inject({ url: `/fhir/r4/Group?${encoded}`, headers: bearer(admin) }),
      await api.app.inject({
        method: 'POST',
        url: '/fhir/r4/Group/_search',
        headers: { ...bearer(admin), 'content-type': 'application/x-www-form-urlencoded' },
        payload: encoded,
      }),
      await api.app.inject({ method: 'POST', url: `/fhir/r4/Group/_search?${encoded}`, headers: bearer(admin) }),
    ].map((response) => response.json<Bundle<Group>>())
    for (const bundle of bundles) {
      t.match(
        { ids: (bundle.entry ?? []).map(({ resource }) => resource?.id), total: bundle.total }, { ids: expected, total: expected.length },
        query
      )
    }
  }
})

t.test('a search comes in pages of _count, whose links repeat it; _count=0 tells how many there are', async (t) => {
  const api = await startApi(t)
  await sql`INSERT INTO source.patient_groups (id, active, name)
    SELECT 'g-' || n, true, CASE n % 2 WHEN 0 THEN 'even & so on' ELSE 'odd' END FROM generate_series(1, 9) AS n`.execute(api.db)
  const pages: Array<Array<string | undefined>> = []
  let url: string | undefined = '/fhir/r4/Group?name=even%20%26&_count=3'
  while (url !== undefined) {
    const bundle: Bundle<Group> = (await api.app.inject({ url, headers: bearer(admin) })).json()
    pages.push((bundle.entry ?? []).map(({ resource }) => resource?.id))
    t.equal(bundle.link?.find(({ relation }) => relation === 'self')?.url, `${publicUrl}${url.replace('%20', '+')}`)
    url = bundle.link?.find(({ relation }) => relation === 'next')?.url.slice(publicUrl.length)
  }
  t.strictSame(pages, [['g-2', 'g-4', 'g-6'], ['g-8']])
  const counted = (await api.app.inject({ url: '/fhir/r4/Group?name=odd&_count=0', headers: bearer(admin) })).json()
  t.match(counted, { total: 5 })
  t.notOk('entry' in counted)
  t.match((await api.app.inject({ url: '/fhir/r4/Group?_count=5000', headers: bearer(admin) })).json(), {
    total: 9, link: [{ url: `${base}?_count=100` }],
  })
})

t.test('HEAD is a GET without the body', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'g-1', [])
  for (const path of ['Group', 'Group/g-1', 'Group?_id=g-1', 'Group/nope']) {
    const [get, head] = await Promise.all((['GET', 'HEAD'] as const).map(async (method) => await api.app.inject({
      method, url: `/fhir/r4/${path}`, headers: bearer(admin),
    })))
    t.match(
      { status: head?.statusCode, body: head?.body, length: head?.headers['content-length'], type: head?.headers['content-type'] },
      { status: get?.statusCode, body: '', length: get?.headers['content-length'], type: get?.headers['content-type'] }, path
    )
  }
})

t.test('a search that is malformed, too long or of another form is refused, and no value is shown', async (t) => {
  const api = await startApi(t)
  const form = 'application/x-www-form-urlencoded'
  for (const [type, payload, status] of [
    [form, '_id=a%20secret', 400], [form, 'name=', 400], [form, 'name:text=secret', 400], [form, 'identifier=secret|b|c', 400],
    [form, 'name=%00secret', 400], [form, '_sort=name', 400],
    [form, Array.from({ length: 101 }, (_, n) => `name=${n}`).join('&'), 400], [form, `name=${'x'.repeat(20_000)}`, 413],
    ['application/json', '{}', 415],
  ] as const) {
    const response = await api.app.inject({
      method: 'POST', url: '/fhir/r4/Group/_search', headers: { ...bearer(admin), 'content-type': type }, payload,
    })
    t.equal(response.statusCode, status, payload.slice(0, 40))
    t.notMatch(response.body, /secret/)
  }
  for (const [claims, status] of [[patient, 403], [{ ...admin, scope: 'system/Patient.rs' }, 403]] as const) {
    t.equal((await api.app.inject({ method: 'POST', url: '/fhir/r4/Group/_search', headers: bearer(claims) })).statusCode, status)
  }
})
