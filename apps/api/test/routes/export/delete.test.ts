import { failExport, findExport } from '@fhir-bulk-export/core/exports'
import t from 'tap'
import { startApi, type Api } from '../../fixtures/api.ts'
import { admin, claim, complete, filePath, kickOff, statusPath } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const profiles = {
  'status-in-body': undefined, 'respond-async': 'respond-async', 'separate-export-status': 'respond-async, separate-export-status',
} as const

async function deleteExport ({ app }: Api, id: string): Promise<number> {
  const response = await app.inject({ method: 'DELETE', url: statusPath(id), headers: bearer(admin) })
  if (response.statusCode < 300) t.equal(response.body, '')
  return response.statusCode
}

t.test('DELETE by profile and state: the first time, and again', async (t) => {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '20' } })
  const states: Record<string, (id: string) => Promise<unknown>> = {
    pending: async () => {},
    in_progress: async (id) => await claim(api, id),
    completed: async (id) => await complete(api, id, []),
    failed: async (id) => await failExport(api.db, { id, attempt: await claim(api, id) }, 'why', 60_000),
  }
  for (const [state, bring] of Object.entries(states)) {
    for (const [profile, first, again] of [
      ['status-in-body', 204, 204], ['respond-async', 202, 404], ['separate-export-status', 202, 404],
    ] as const) {
      const id = await kickOff(api, { prefer: profiles[profile] })
      await bring(id)
      t.equal((await findExport(api.db, id))?.status, state)
      t.equal(await deleteExport(api, id), first, `${profile}, ${state}`)
      t.equal(await deleteExport(api, id), again, `${profile}, ${state}, again`)
      t.equal((await findExport(api.db, id))?.status, state === 'failed' ? 'failed' : 'cancelled')
    }
  }
})

t.test('an expired export is 404, and so is one that never was', async (t) => {
  const api = await startApi(t)
  for (const profile of ['status-in-body', 'respond-async', 'separate-export-status'] as const) {
    const id = await kickOff(api, { prefer: profiles[profile] })
    await complete(api, id, [], 0)
    t.equal(await deleteExport(api, id), 404)
  }
  t.equal(await deleteExport(api, '00000000-0000-4000-8000-000000000000'), 404)
  t.equal(await deleteExport(api, 'nope'), 404)
})

t.test('a deleted export expires EXPORT_TTL later, and its files are gone at once', async (t) => {
  const api = await startApi(t, { environment: { EXPORT_TTL: '90m' } })
  const id = await kickOff(api, { prefer: 'respond-async' })
  await complete(api, id, [{ name: 'Patient.1.ndjson', type: 'Patient', body: '{}\n' }])
  t.equal(await deleteExport(api, id), 202)
  const row = await findExport(api.db, id)
  t.ok(row?.dropped_at)
  t.equal(Number(row?.expires_at) - Number(row?.ended_at), 90 * 60_000)
  t.equal((await api.app.inject({ url: filePath(id, 'Patient.1.ndjson'), headers: bearer(admin) })).statusCode, 404)
})

t.test('a body is ignored, whatever it is', async (t) => {
  const api = await startApi(t)
  for (const [type, payload] of [
    ['application/json', '{"broken":'],
    ['application/fhir+json', '{}'],
    ['not a media type', 'x'],
    ['text/plain', 'x'.repeat(2 ** 21)],
    ['', 'x'],
  ] as const) {
    const id = await kickOff(api)
    const response = await api.app.inject({
      method: 'DELETE', url: statusPath(id), headers: { ...bearer(admin), 'content-type': type }, payload,
    })
    t.equal(response.statusCode, 204, type)
  }
})
