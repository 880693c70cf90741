import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { runCommand, type Ended } from '../fixtures/run-command.ts'

const url = await createTestDatabase(t)
const sampleData = `${import.meta.dirname}/../fixtures/sample-data`

async function run (args: string[], env: Record<string, string> = { DATABASE_URL: url }): Promise<Ended> {
  return await runCommand('load', args, env)
}

t.test('a folder is loaded, and the summary says what of each type', async t => {
  const { code, stdout, stderr } = await run([sampleData])
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /^Patient: 5 loaded, 0 unchanged, 0 rejected$/m)
  t.match(stdout, /^Observation: 4 loaded/m)
  t.match(stdout, /^EvidenceVariable: 1 loaded/m)
})

t.test('bad lines go to stderr, the rest is loaded, and the exit code is 1', async t => {
  const folder = t.testdir({ 'p.ndjson': '{"resourceType":"Patient","id":"q-1"}\nno json\n{"resourceType":"Basic"}\n' })
  const { code, stdout, stderr } = await run([folder])
  t.equal(code, 1)
  t.equal(stderr, `${join(folder, 'p.ndjson')}:2: resource must be an object\n${join(folder, 'p.ndjson')}:3: Basic.code is required\n`)
  t.match(stdout, 'Patient: 1 loaded')
  t.match(stdout, 'Basic: 0 loaded, 0 unchanged, 1 rejected')
})

t.test('where nothing can be loaded, the reason is said and the exit code is 2', async t => {
  const cases: Array<[args: string[], env: Record<string, string> | undefined, reason: string]> = [
    [[], undefined, 'No file is named'],
    [['--nope'], undefined, '--nope'],
    [['/does/not/exist'], undefined, '/does/not/exist cannot be read (ENOENT)'],
    [[sampleData], {}, 'DATABASE_URL'],
    [[sampleData], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, 'ECONNREFUSED'],
    [[sampleData], { DATABASE_URL: url.replace(/\/[^/?]*(\?|$)/, '/postgres$1') }, 'migrate --source'],
  ]
  for (const [args, env, reason] of cases) {
    const { code, stdout, stderr } = await run(args, env)
    t.equal(code, 2, reason)
    t.match(stderr, reason)
    t.notMatch(stderr, /\n\s+at /, 'no stack')
    t.equal(stdout, '')
  }
})

t.test('--help explains, and needs nothing', async t => {
  const { code, stdout } = await run(['--help'], {})
  t.equal(code, 0)
  t.match(stdout, 'usage: load')
})
