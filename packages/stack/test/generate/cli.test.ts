import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import { generateResources } from '../../src/generate/index.ts'
import { runCommand } from '../fixtures/run-command.ts'

t.test('writes one file for each type, a resource on each line, in the order of the generator', async t => {
  const folder = t.testdir({})
  const { code, output } = await runCommand('generate/cli.ts', ['--patients', '300', '--seed', '5', '--out', folder]).ended
  t.equal(code, 0, output)
  t.match(output, / 300 Patient\n/)
  t.strictSame((await readdir(folder)).sort(), ['Consent.ndjson', 'DocumentReference.ndjson', 'Group.ndjson', 'Patient.ndjson', 'Provenance.ndjson'])
  const expected = [...generateResources({ patients: 300, seed: 5 })]
  for (const type of ['Patient', 'DocumentReference', 'Consent', 'Provenance', 'Group']) {
    const lines = expected.filter(({ resourceType }) => resourceType === type).map(resource => `${JSON.stringify(resource)}\n`).join('')
    t.ok(await readFile(`${folder}/${type}.ndjson`, 'utf8') === lines, type)
  }
})

t.test('says how it is used when it is used wrongly', async t => {
  for (const args of [[], ['--out', 'x', '--patients', 'many'], ['--out', 'x', '--patients', '-1']]) {
    const { code, output } = await runCommand('generate/cli.ts', args).ended
    t.not(code, 0)
    t.match(output, /usage|argument is ambiguous|there are: --patients/)
  }
})
