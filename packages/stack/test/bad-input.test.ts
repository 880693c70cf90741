import t from 'tap'
import { runProgram } from './fixtures/run-command.ts'
import { inRepository } from '../src/workspace.ts'

const root = inRepository('.')
const database = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }

async function run (file: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  return await runProgram(file, args, { ...database, ...env }).ended
}

t.test('a command that is given what it does not know answers with one line', async t => {
  const cases: Array<[script: string, args: string[], line: RegExp]> = [
    ['packages/core/src/cli/load.ts', ['--nope'], /^Unknown option '--nope' \(--help tells what there is\)\n$/],
    ['packages/core/src/cli/load.ts', [], /^No file is named, and no folder .*\n$/],
    ['packages/core/src/cli/migrate.ts', ['--nope'], /^Unknown option '--nope' .*\n$/],
    ['packages/core/src/cli/migrate.ts', ['nope'], /^Unexpected argument 'nope' .*\n$/],
    ['packages/core/src/cli/migrate.ts', [], /^.*ECONNREFUSED.*\n$/],
    ['packages/core/src/cli/client.ts', ['--nope'], /^Unknown option '--nope' .*\n$/],
    ['packages/core/src/cli/client.ts', ['enable', 'lab'], /^add, list, disable or rotate is expected.*\n$/],
    ['packages/core/src/cli/verify.ts', ['--nope'], /^Unknown option '--nope' .*\n$/],
    ['packages/core/src/cli/verify.ts', ['12'], /^'12' is no export id: a UUID is expected.*\n$/],
    ['packages/core/src/cli/verify.ts', [], /^'' is no export id: a UUID is expected.*\n$/],
    ['packages/bench/src/export.ts', ['--nope', '1'], /^Unknown option '--nope'; there are: --rows, --runs, --of\n$/],
    ['packages/bench/src/export.ts', ['--rows', '10,many'], /^--rows many: expected a number; .*\n$/],
    ['packages/bench/src/store.ts', ['--megabytes'], /^Option '--megabytes <value>' argument missing; .*\n$/],
    ['packages/faults/src/soak.ts', ['--minutes', 'long'], /^--minutes long: expected a number; .*\n$/],
    ['packages/faults/src/soak.ts', ['--store', 'moon'], /^--store moon: expected folder or node\n$/],
    ['packages/stack/src/client/assertion.ts', ['--client', 'lab'], /^usage: assertion .*\n$/],
    ['packages/stack/src/client/create-key.ts', ['--name', 'a b'], /^usage: create-key .*\n$/],
    ['packages/stack/src/generate/cli.ts', ['--nope'], /^Unknown option '--nope'; there are: .*\n$/],
  ]
  for (const [script, args, line] of cases) {
    const { code, output } = await run(process.execPath, [inRepository(script), ...args])
    t.match(output, line, `${script} ${args.join(' ')}`)
    t.equal(code, 2)
  }
})

t.test('make start names a port that is none', async t => {
  const { code, output } = await run(process.execPath, [inRepository('packages/stack/src/start.ts')], { PORT: 'many' })
  t.equal(output, 'PORT=many: expected a whole number\n')
  t.equal(code, 1)
})

// Not what the make that runs us was given: with its TESTS, `make watch` would run this file, which would do the same.
const ofNobody = { MAKEFLAGS: '', MAKELEVEL: '', TESTS: '', ONLY: '', INSPECT: '', BENCH: 'export' }

t.test('make names a benchmark, a test file and an export id that are not there', async t => {
  const cases: Array<[args: string[], line: RegExp]> = [
    [['bench', 'BENCH=nope'], /^Makefile:\d+: \*\*\* BENCH=nope: no such benchmark; there are .*scale.*\. {2}Stop\.\n$/],
    [['test', 'TESTS=nope.test.ts'], /^Makefile:\d+: \*\*\* TESTS=nope\.test\.ts: no such file\. {2}Stop\.\n$/],
    [['watch'], /^Makefile:\d+: \*\*\* one file is wanted: TESTS=<file>\. {2}Stop\.\n$/],
    [['verify', 'JOB=12'], /^'12' is no export id: a UUID is expected.*\nmake: .*Error 2\n$/],
  ]
  for (const [args, line] of cases) {
    const { code, output } = await run('make', ['--no-print-directory', '-C', root, ...args], ofNobody)
    t.match(output, line, args.join(' '))
    t.equal(code, 2)
  }
})

t.test('an install without npm, and one without a network, say so', async t => {
  const script = inRepository('packages/stack/src/install.sh')
  const home = t.testdir({})
  const without = await run('/bin/sh', [script], { PATH: home })
  t.equal(without.output, 'npm is not on PATH: install Node 20 or later, which brings it (https://nodejs.org)\n')
  t.equal(without.code, 1)
  const offline = await run('/bin/sh', [script], {
    HOME: home, npm_config_cache: home, npm_config_registry: 'http://127.0.0.1:1/', npm_config_update_notifier: 'false',
  })
  t.equal(offline.output, 'no network: http://127.0.0.1:1/ cannot be reached (ECONNREFUSED), and the caches do not have all packages\n')
  t.equal(offline.code, 1)
})
