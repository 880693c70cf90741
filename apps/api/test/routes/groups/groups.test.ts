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
  t.strictSame(await list(), { resourceType: 'Bundle', type: 'searchset', total: 0, link: [{ relation: 'self', url: base }] })
  await givenGroup(api, 'b', [])
  await givenGroup(api, 'a', [{ patient: 'pat-1' }])
  await givenGroup(api, 'c', [{ patient: 'pat-1' }], { deleted: true })
  const { total, link, entry } = await list()
  t.equal(total, 2)
  t.strictSame(link, [{ relation: 'self', url: base }])
  t.match(entry, [
    { fullUrl: `${base}/a`, resource: { id: 'a', quantity: 1, member: [{ entity: { reference: 'Patient/pat-1' } }] }, search: { mode: 'match' } },
    { fullUrl: `${base}/b`, resource: { id: 'b', quantity: 0 } },
  ])
  t.equal(entry.length, 2)
})

t.test('in the list a large group has no members, and says that it is not whole', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'large', [])
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) SELECT 'm-' || n, 'large', 'p-' || n FROM generate_series(1, 1001) AS n`.execute(api.db)
  const { entry: [{ resource }] } = (await api.app.inject({ url: '/fhir/r4/Group', headers: bearer(admin) })).json()
  t.equal(resource.quantity, 1001)
  t.notOk(resource.member)
  t.match(resource.meta.tag, [{ code: 'SUBSETTED' }])
  const whole = (await api.app.inject({ url: '/fhir/r4/Group/large', headers: bearer(admin) })).json()
  t.equal(whole.member.length, 1001)
  t.notOk(whole.meta.tag)
})

t.test('unknown and deleted groups are 404, a search parameter 400, a PATIENT 403', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'gone', [], { deleted: true })
  for (const id of ['nope', 'gone', '%27', '%00', 'x'.repeat(99)]) {
    const response = await api.app.inject({ url: `/fhir/r4/Group/${id}`, headers: bearer(admin) })
    t.equal(response.statusCode, 404, id)
    t.match(response.json(), { issue: [{ code: 'not-found' }] })
  }
  const searched = await api.app.inject({ url: '/fhir/r4/Group?name=x', headers: bearer(admin) })
  t.equal(searched.statusCode, 400)
  t.match(searched.json(), { issue: [{ code: 'not-supported', diagnostics: /"name"/ }] })
  for (const path of ['Group', 'Group/gone', 'Group/nope']) {
    t.equal((await api.app.inject({ url: `/fhir/r4/${path}`, headers: bearer(patient) })).statusCode, 403)
    t.equal((await api.app.inject({ url: `/fhir/r4/${path}` })).statusCode, 401)
  }
})

t.test('a token with scopes needs one for Group, to read them and to export one', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'g-1', [])
  for (const [scope, allowed] of [['system/Patient.rs', false], ['system/Patient.rs system/Group.rs', true], ['system/*.read', true]] as const) {
    for (const [path, success] of [['Group', 200], ['Group/g-1', 200], ['Group/g-1/$export', 202]] as const) {
      const { statusCode } = await api.app.inject({ url: `/fhir/r4/${path}`, headers: bearer({ ...admin, scope }) })
      t.equal(statusCode, allowed ? success : 403, `${scope}, ${path}`)
    }
  }
})

t.test('a group that cannot be read is left out, and the log tells', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'g-1', [{ patient: 'pat-1' }])
  await givenGroup(api, 'g-2', [])
  await sql`UPDATE source.patient_groups SET code = '"not a CodeableConcept"' WHERE id = 'g-2'`.execute(api.db)
  t.equal((await api.app.inject({ url: '/fhir/r4/Group/g-2', headers: bearer(admin) })).statusCode, 404)
  t.match((await api.app.inject({ url: '/fhir/r4/Group', headers: bearer(admin) })).json(), { total: 1, entry: [{ resource: { id: 'g-1' } }] })
  t.ok(api.logLines.some((line) => line.includes('a group cannot be read')))
  t.notOk(api.logLines.some((line) => line.includes('not a CodeableConcept')))
})

t.test('a group that is a `resource` comes as it is, digit by digit', async (t) => {
  const api = await startApi(t)
  const characteristic = '[{"code":{"text":"weight"},"valueQuantity":{"value":10.00},"exclude":false}]'
  await sql`INSERT INTO source.patient_groups (id, resource) VALUES ('g-1', ${`{"resourceType":"Group","type":"device","actual":false,"characteristic":${characteristic}}`}::json)`.execute(api.db)
  for (const path of ['Group', 'Group/g-1']) {
    t.match((await api.app.inject({ url: `/fhir/r4/${path}`, headers: bearer(admin) })).body, `"type":"device","actual":false,"characteristic":${characteristic}`)
  }
})

t.test('many groups come in pages, each group once, and no page is longer than another for the members in it', async (t) => {
  const api = await startApi(t)
  await sql`INSERT INTO source.patient_groups (id, active, name) SELECT 'g-' || n, true, 'a group' FROM generate_series(1, 230) AS n`.execute(api.db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) SELECT g || '-' || n, 'g-' || g, 'p-' || n FROM generate_series(1, 230) AS g, generate_series(1, 20) AS n`.execute(api.db)
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
  for (const query of ['?_after=a&_after=b', '?_after=%00', '?_after=a&_count=1']) t.equal((await api.app.inject({ url: `/fhir/r4/Group${query}`, headers: bearer(admin) })).statusCode, 400, query)
})
