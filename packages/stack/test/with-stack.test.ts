import t from 'tap'
import { runCommand } from './fixtures/run-command.ts'

const shell = (script: string): string[] => ['--', 'sh', '-c', script]

t.test('the command finds the servers in its environment, and its exit code is passed on', async t => {
  const { code, output } = await runCommand('with-stack.ts', shell('env; exit 7')).ended
  t.equal(code, 7, output)
  t.match(output, /^TEST_DATABASE_URL=postgres:\/\/postgres:.*@127\.0\.0\.1:\d+\/postgres$/m)
  t.match(output, /^TEST_TEMPLATE_DATABASE=\w+$/m)
})

t.test('without Redis it says so loudly before and after, with the line that installs it, and runs the rest', async t => {
  const { code, output } = await runCommand('with-stack.ts',
    ['--', process.execPath, '-e', 'console.log("ran", process.env.TEST_REDIS_URL)'], { PATH: t.testdir({}) }).ended
  t.equal(code, 0, output)
  t.match(output, /Redis tests do NOT run.*apt-get install redis-server[^]*ran undefined[^]*Redis tests do NOT run/)
})

t.test('REQUIRE_ALL=1 makes a failure of what cannot run', async t => {
  const { code, output } = await runCommand('with-stack.ts', shell('echo ran'), { PATH: t.testdir({}), REQUIRE_ALL: '1' }).ended
  t.equal(code, 1)
  t.match(output, /Redis tests do NOT run/)
  t.notMatch(output, /^ran$/m)
})

t.test('a command that is not there is named', async t => {
  const { code, output } = await runCommand('with-stack.ts', ['--', 'no-such-command']).ended
  t.equal(code, 1)
  t.match(output, /no-such-command could not be started/)
})
