import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import t from 'tap'
import { recordAudit } from '../../src/audit/index.ts'
import { createDatabase } from '../../src/db/index.ts'
import { checkResource } from '../../src/r4/index.ts'
import { runCommand, type Ended } from '../fixtures/run-command.ts'
import { findProblems } from '../fixtures/validators.ts'

const DATABASE_URL = await createTestDatabase(t)
const exportId = '8e8c8fb6-0000-4000-8000-000000000001'

async function run (...args: string[]): Promise<{ code: Ended['code'], lines: string[], stderr: string }> {
  const { code, stdout, stderr } = await runCommand('audit', args, { DATABASE_URL, PUBLIC_URL: 'https://fhir.example.org' })
  return { code, lines: stdout.split('\n').filter((line) => line !== ''), stderr }
}

t.before(async () => {
  const db = createDatabase(DATABASE_URL, { applicationName: 'test', onError: () => {} })
  await recordAudit(db, [
    { event: 'requested', outcome: 'success', process: 'api', export_id: exportId, client_id: 'lab', level: 'system', types: ['Patient'] },
    {
      event: 'downloaded', outcome: 'success', process: 'api', export_id: exportId, client_id: 'lab', file_name: 'Patient.1.ndjson',
      bytes: 12
    },
    { event: 'refused', outcome: 'failure', process: 'api', client_id: 'other', status: 403, count: 2, since: new Date() },
  ])
  await db.destroy()
})

t.test('NDJSON of valid AuditEvents, from a time on and before another', async (t) => {
  const { code, lines, stderr } = await run('--since', '2020-01-01', '--until', '2999-01-01T00:00:00Z')
  t.match({ code, stderr }, { code: 0, stderr: '' })
  t.equal(lines.length, 3)
  for (const line of lines) {
    t.match(checkResource(Buffer.from(line)), { isValid: true, type: 'AuditEvent' })
    t.strictSame(findProblems(JSON.parse(line)), [])
  }
  t.match(await run('--since', '2020-01-01', '--until', '2020-01-02'), { code: 0, lines: [] })
})

t.test('of one export, or of one client', async (t) => {
  const all = ['--since', '2020-01-01', '--until', '2999-01-01']
  t.equal((await run(...all, '--export', exportId)).lines.length, 2)
  t.match((await run(...all, '--client', 'other')).lines, [/HTTP 403: 2 times/])
  t.equal((await run(...all, '--client', 'lab', '--export', exportId)).lines.length, 2)
  t.equal((await run(...all, '--client', 'nobody')).lines.length, 0)
})

t.test('what is wrong is said in a line, and the exit code is 2', async (t) => {
  for (const [args, reason] of [
    [[], /^--since must be a date/], [['--since', '2020-01-01'], /^--until must be a date/],
    [['--since', 'yesterday', '--until', '2020-01-01'], /^--since must be a date/],
    [['--since', '2020-01-01', '--until', '2020-13-01'], /^--until must be a date/],
    [['--since', '2020-01-01', '--until', '2020-02-01', '--export', 'x'], /^--export must be/], [['--nope'], /--nope/],
  ] as const) {
    t.match(await run(...args), { code: 2, stderr: reason, lines: [] }, args.join(' '))
  }
})
