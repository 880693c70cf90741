import t from 'tap'
import { findDescendants, findRunning } from './fixtures/descendants.ts'
import { runCommand } from './fixtures/run-command.ts'
import { untilGone } from './fixtures/until-gone.ts'

const shell = (script: string): string[] => ['--', 'sh', '-c', script]
const waits = shell('echo up; trap "echo told; exit 9" TERM INT; while :; do sleep 0.1; done')

t.test('the command finds the servers in its environment, and its exit code is passed on', async t => {
  const { code, output } = await runCommand('with-stack.ts', shell('env; exit 7')).ended
  t.equal(code, 7, output)
  t.match(output, /^TEST_DATABASE_URL=postgres:\/\/postgres:.*@127\.0\.0\.1:\d+\/postgres$/m)
  t.match(output, /^TEST_TEMPLATE_DATABASE=\w+$/m)
})

t.test('servers and grandchildren are gone when it ends', async t => {
  const running = runCommand('with-stack.ts', shell('sleep 1000 & echo up; read -r line < /dev/null; sleep 0.3; exit 0'))
  await running.untilOutput('up')
  const descendants = await findDescendants(running.pid)
  t.ok(descendants.length > 3, 'PostgreSQL and what the command started')
  const { code } = await running.ended
  t.equal(code, 0)
  await untilGone(descendants)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} reaches the command, whose answer counts, and then everything stops`, async t => {
    const running = runCommand('with-stack.ts', waits)
    await running.untilOutput('up')
    const descendants = await findDescendants(running.pid)
    running.child.kill(signal)
    const { code, output } = await running.ended
    t.equal(code, 9, output)
    t.match(output, 'told')
    await untilGone(descendants)
  })
}

t.test('SIGTERM while the servers start leaves none of them', async t => {
  const running = runCommand('with-stack.ts', waits)
  let descendants: number[] = []
  while (descendants.length < 2) descendants = await findDescendants(running.pid)
  running.child.kill('SIGTERM')
  const { code, output } = await running.ended
  t.equal(code, 128 + 15, output)
  t.notMatch(output, 'up')
  await untilGone(descendants)
})

t.test('even SIGKILL leaves nothing', async t => {
  const running = runCommand('with-stack.ts', waits)
  await running.untilOutput('up')
  const descendants = await findDescendants(running.pid)
  running.child.kill('SIGKILL')
  await running.ended
  await untilGone(descendants)
  t.strictSame(await findRunning(descendants), [])
})

t.test('without Redis it says so loudly before and after, with the line that installs it, and runs the rest', async t => {
  const { code, output } = await runCommand('with-stack.ts', ['--', process.execPath, '-e', 'console.log("ran", process.env.TEST_REDIS_URL)'], { REDIS_URL: '', PATH: t.testdir({}) }).ended
  t.equal(code, 0, output)
  t.match(output, /Redis tests do NOT run.*apt-get install redis-server[^]*ran undefined[^]*Redis tests do NOT run/)
})

t.test('REQUIRE_ALL=1 makes a failure of what cannot run', async t => {
  const { code, output } = await runCommand('with-stack.ts', shell('echo ran'), { REDIS_URL: '', PATH: t.testdir({}), REQUIRE_ALL: '1' }).ended
  t.equal(code, 1)
  t.match(output, /Redis tests do NOT run/)
  t.notMatch(output, /^ran$/m)
})

t.test('a command that is not there is named', async t => {
  const { code, output } = await runCommand('with-stack.ts', ['--', 'no-such-command']).ended
  t.equal(code, 1)
  t.match(output, /no-such-command could not be started/)
})
