import type { ExportSummary } from '@fhir-bulk-export/core/exports'
import t from 'tap'
import { toStatusAnswer } from '../../src/profiles/index.ts'

const createdAt = new Date('2026-02-22T15:00:00Z')
const row: ExportSummary = {
  id: '00000000-0000-4000-8000-000000000000',
  status: 'in_progress',
  profile: 'respond-async',
  request: '/fhir/r4/Patient/$export',
  requester_role: 'ADMIN',
  requester: '',
  issuer: '',
  level: 'patient',
  patient_id: null,
  types: ['Patient'],
  created_at: createdAt,
  started_at: createdAt,
  ended_at: null,
  expires_at: null,
  dropped_at: null,
  transaction_time: null,
  attempt: 1,
  failures: 0,
  available_at: createdAt,
  leased: true,
  progress: 99,
  total_resources: Number.MAX_SAFE_INTEGER,
  exported_resources: Number.MAX_SAFE_INTEGER,
  failure_reason: null,
}

t.test('Retry-After grows with the time an export takes, from a second to a minute', async (t) => {
  for (const [seconds, expected] of [[-30, '1'], [0, '1'], [5, '1'], [42, '4'], [300, '30'], [600, '60'], [86_400, '60']] as const) {
    const now = new Date(createdAt.getTime() + seconds * 1_000)
    for (const status of ['pending', 'in_progress'] as const) {
      t.equal(toStatusAnswer({ row: { ...row, status }, files: [], publicUrl: '', now }).headers['Retry-After'], expected, `${seconds} s`)
    }
  }
})

t.test('X-Progress stays short', async (t) => {
  const { headers } = toStatusAnswer({
    row: { ...row, types: ['Patient', 'DocumentReference', 'Consent', 'Provenance'] }, files: [], publicUrl: '', now: createdAt,
  })
  t.match(headers['X-Progress'], /^[ -~]{1,99}$/)
})

t.test('X-Progress says why an export waits in between attempts', async (t) => {
  const later = new Date(createdAt.getTime() + 1_000)
  const waits = { ...row, leased: false, progress: 45, available_at: later, failure_reason: 'the content store is unavailable' }
  for (const [what, changes, expected] of [
    ['a backoff', {}, '45%, waiting: the content store is unavailable'],
    ['after the backoff', { available_at: createdAt }, '45%, waiting for a worker'],
    ['handed on', { available_at: createdAt, failure_reason: null }, '45%, waiting for a worker'],
    ['a reason that is no header', { failure_reason: 'the store\r\nSet-Cookie: é' }, '45%, waiting: the store??Set-Cookie: ?'],
    ['running again', { leased: true, total_resources: 10, exported_resources: 4 }, '45% 4/10 Patient'],
    ['not begun', { status: 'pending' }, 'pending'],
  ] as const) {
    const { headers } = toStatusAnswer({ row: { ...waits, ...changes }, files: [], publicUrl: '', now: createdAt })
    t.equal(headers['X-Progress'], expected, what)
  }
  const none = toStatusAnswer({
    row: { ...waits, leased: true, total_resources: 10, exported_resources: 4, types: [] }, files: [], publicUrl: '', now: createdAt,
  })
  t.equal(none.headers['X-Progress'], '45% 4/10')
  const { headers } = toStatusAnswer({ row: { ...waits, failure_reason: 'x'.repeat(1_000) }, files: [], publicUrl: '', now: createdAt })
  t.match(headers['X-Progress'], /^[ -~]{99}$/)
})
