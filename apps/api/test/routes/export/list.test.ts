import { failExport } from '@fhir-bulk-export/core/exports'
import t from 'tap'
import { publicUrl, startApi, type Api } from '../../fixtures/api.ts'
import { admin, claim, complete, kickOff, patient, statusPath } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const url = '/fhir/r4/$export-status'

async function list ({ app }: Api, claims: object): Promise<Array<{ id: string }>> {
  return (await app.inject({ url, headers: bearer(claims) })).json().exports
}

const idsOf = (exports: Array<{ id: string }>): string[] => exports.map(({ id }) => id)

t.test('the caller\'s own exports, the newest first', async (t) => {
  const api = await startApi(t)
  t.strictSame(await list(api, admin), [])
  const first = await kickOff(api, { query: '?_type=Patient' })
  const second = await kickOff(api, { prefer: 'respond-async' })
  const own = await kickOff(api, { claims: patient })
  await complete(api, second, [])

  const response = await api.app.inject({ url: '/fhir/r4/%24export-status', headers: bearer(admin) })
  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store' })
  const { exports } = response.json()
  t.match(exports, [
    { id: second, status: 'completed', level: 'patient', request: '/fhir/r4/Patient/$export' },
    {
      id: first,
      status: 'pending',
      level: 'patient',
      request: '/fhir/r4/Patient/$export?_type=Patient',
      created: /^\d{4}-.*Z$/,
      url: `${publicUrl}${statusPath(first)}`,
    },
  ])
  t.equal(exports.length, 2)
  t.strictSame(idsOf(await list(api, patient)), [own])
  t.strictSame(await list(api, { ...patient, patient_id: 'pat-2' }), [])
  t.strictSame(await list(api, { ...admin, sub: 'admin-2' }), [], 'another ADMIN may see them all, and lists the own ones')
  t.strictSame(idsOf(await list(api, { ...admin, scope: 'system/Patient.rs' })), [first], 'of types that the token covers')

  const head = await api.app.inject({ method: 'HEAD', url, headers: bearer(admin) })
  t.equal(head.statusCode, 200)
  t.equal(head.body, '')
  t.equal((await api.app.inject({ url })).statusCode, 401)
})

t.test('what a status request would answer with 404 is not in the list', async (t) => {
  const api = await startApi(t)
  const isListed = async (id: string) => idsOf(await list(api, admin)).includes(id)
  for (const [prefer, listedAfterDelete] of [
    ['', true], ['respond-async', false], ['respond-async, separate-export-status', false],
  ] as const) {
    const expired = await kickOff(api, { prefer })
    await complete(api, expired, [], 0)
    t.notOk(await isListed(expired))
    const cancelled = await kickOff(api, { prefer })
    await api.app.inject({ method: 'DELETE', url: statusPath(cancelled), headers: bearer(admin) })
    t.equal(await isListed(cancelled), listedAfterDelete, prefer)
    const failed = await kickOff(api, { prefer })
    await failExport(api.db, { id: failed, attempt: await claim(api, failed) }, 'why', 60_000)
    t.ok(await isListed(failed))
  }
})

t.test('a hundred at most, and no hotter than a status', async (t) => {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '200', MAX_KICK_OFFS_PER_MINUTE: '200' } })
  for (let n = 0; n < 101; n++) await kickOff(api)
  t.equal((await list(api, admin)).length, 100)
  const begun = performance.now()
  const responses = await Promise.all(Array.from({ length: 40 }, async () => await api.app.inject({ url, headers: bearer(admin) })))
  const answered = responses.filter(({ statusCode }) => statusCode === 200).length
  t.equal(answered + responses.filter(({ statusCode }) => statusCode === 429).length, 40)
  const allowed = 10 + (performance.now() - begun) / 1_000
  t.ok(answered > 0 && answered <= allowed, `${answered} were answered, of ${allowed}`)
})
