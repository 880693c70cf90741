import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import { generate } from '../../src/generate/index.ts'
import { toCsvLine } from '../../src/generate/rows.ts'
import { runCommand } from '../fixtures/run-command.ts'

t.test('writes one file for each relation and type, in the order of the generator', async t => {
  const folder = t.testdir({})
  const { code, output } = await runCommand('generate/cli.ts', ['--patients', '300', '--seed', '5', '--out', folder]).ended
  t.equal(code, 0, output)
  t.match(output, / 300 patients\.csv\n/)
  const expected = new Map<string, string>()
  const append = (file: string, head: string, line: string): void => { expected.set(file, `${expected.get(file) ?? head}${line}`) }
  for (const generated of generate({ patients: 300, seed: 5 })) {
    if ('row' in generated) append(`${generated.relation}.csv`, `${Object.keys(generated.row).join(',')}\n`, toCsvLine(generated.row))
    else append(`${generated.resource.resourceType}.ndjson`, '', `${JSON.stringify(generated.resource)}\n`)
  }
  t.strictSame([...expected.keys()].sort(), (await readdir(folder)).sort())
  t.strictSame([...expected.keys()].sort(), [
    'Condition.ndjson', 'Encounter.ndjson', 'Observation.ndjson', 'consents.csv', 'medical_records.csv', 'patient_group_members.csv',
    'patient_groups.csv',
    'patients.csv', 'provenance_events.csv',
  ])
  for (const [file, text] of expected) t.ok(await readFile(`${folder}/${file}`, 'utf8') === text, file)
})

t.test('says how it is used when it is used wrongly', async t => {
  for (const args of [[], ['--out', 'x', '--patients', 'many'], ['--out', 'x', '--patients', '-1']]) {
    const { code, output } = await runCommand('generate/cli.ts', args).ended
    t.not(code, 0)
    t.match(output, /usage|argument is ambiguous|there are: --patients/)
  }
})
