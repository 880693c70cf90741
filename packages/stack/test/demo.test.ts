import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import { generatorVersion } from '../src/generate/index.ts'
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
  t.match(output, /> Loading [^]*\n {2}100%\n[^]*\n {2}100%, complete\n {2}\d+\.\d s\n\n> Downloading/,
    'loading and export show how far they are, and each step its seconds')
  t.match(output, /What next:\n {2}make start .*\n/)

  const generated = `${data}/generated/${generatorVersion}-40-3`
  const loaded = await Promise.all(['Condition', 'Encounter', 'Observation'].map(
    async (type) => (await readLines(`${generated}/${type}.ndjson`)).length
  ))
  t.match(output, `${loaded.reduce((sum, count) => sum + count)} resources came back as they were loaded, digit by digit`)
  t.notMatch(output, 'were not loaded')
  t.strictSame((await readdir(`${data}/demo/files`)).sort(),
    [
      'Condition', 'Consent', 'DocumentReference', 'Encounter', 'Group', 'Observation', 'Patient', 'Provenance',
    ].map((type) => `${type}.1.ndjson`))
  t.equal((await readLines(`${data}/demo/files/Patient.1.ndjson`)).length, 40)
  await untilGone(descendants)
})

t.test('with DATA= everything that was loaded comes back in its files', async t => {
  const resources = [
    '{"resourceType":"Patient","id":"p1","extension":[{"url":"https://example.org/x","valueDecimal":1.50}],' +
      '"_birthDate":{"extension":[{"url":"https://example.org/y","valueCode":"z"}]}}',
    '{"resourceType":"Medication","id":"m1","code":{"text":"Aspirin"}}',
    '{"resourceType":"Group","id":"g1","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p1"}}]}',
  ]
  const data = t.testdir({ given: { 'all.ndjson': resources.join('\n'), 'bad.json': '{"resourceType":"Observation","id":"o1"}' } })
  const { code, output } = await runCommand('demo.ts', [], { STACK_DATA: data, DATA: `${data}/given` }).ended
  t.equal(code, 0, output)
  t.match(output, /3 resources came back as they were loaded, digit by digit[^]*1 were not loaded, as told above/)
  t.strictSame((await readdir(`${data}/demo/files`)).sort(), ['Group.1.ndjson', 'Medication.1.ndjson', 'Patient.1.ndjson'])
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

async function readLines (path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).trimEnd().split('\n')
}
