import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import { findDescendants } from './fixtures/descendants.ts'
import { runCommand } from './fixtures/run-command.ts'
import { untilGone } from './fixtures/until-gone.ts'

t.test('the demo exports what it loaded, over HTTP, checks the files, and leaves no process', async t => {
  const data = t.testdir({})
  const running = runCommand('demo.ts', [], { STACK_DATA: data, PATIENTS: '40', SEED: '3', DATA: '' })
  await running.untilOutput('Content-Location')
  const descendants = await findDescendants(running.pid)
  t.ok(descendants.length > 5, 'PostgreSQL, API and worker')
  const { code, output } = await running.ended
  t.equal(code, 0, output)
  t.match(output, /"transactionTime"[^]*all counts and SHA-256 sums right\nexport .* rows\/s/)
  t.match(output, /> Loading [^]*\n {2}100%\n[^]*\n {2}100%, complete\n {2}\d+\.\d s\n\n> Downloading/, 'loading and export show how far they are, and each step its seconds')
  t.match(output, /What next:\n {2}make start .*\n/)

  t.strictSame((await readdir(`${data}/demo/files`)).sort(), ['Consent.1.ndjson', 'DocumentReference.1.ndjson', 'Patient.1.ndjson', 'Provenance.1.ndjson'])
  const lines = (await readFile(`${data}/demo/files/Patient.1.ndjson`, 'utf8')).trimEnd().split('\n')
  t.equal(lines.length, 40)
  await untilGone(descendants)
})

t.test('Ctrl-C in the middle stops everything', async t => {
  const running = runCommand('demo.ts', [], { STACK_DATA: t.testdir({}), PATIENTS: '40', DATA: '' })
  await running.untilOutput('Starting the API')
  const descendants = await findDescendants(running.pid)
  running.child.kill('SIGINT')
  const { code, output } = await running.ended
  t.equal(code, 130, output)
  await untilGone(descendants)
})

t.test('a folder that is not there, and a number that is none, are named', async t => {
  const wrong = [{ DATA: '/no/such/folder' }, { DATA: '', PATIENTS: 'many' }]
  for (const env of wrong) {
    const { code, output } = await runCommand('demo.ts', [], { STACK_DATA: t.testdir({}), ...env }).ended
    t.equal(code, 1)
    t.match(output, /DATA=\/no\/such\/folder: there is no such folder|PATIENTS=many: expected a whole number/)
  }
})
