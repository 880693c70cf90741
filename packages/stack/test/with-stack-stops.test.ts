import { chmod, writeFile } from 'node:fs/promises'
import t from 'tap'
import { needs } from '../src/optional-servers.ts'
import { findDescendants, findRunning } from './fixtures/descendants.ts'
import { runCommand } from './fixtures/run-command.ts'
import { untilGone } from './fixtures/until-gone.ts'

const shell = (script: string): string[] => ['--', 'sh', '-c', script]
const waits = shell('trap "echo told; exit 9" TERM INT; echo up; while :; do sleep 0.1; done')

t.test('servers and grandchildren are gone when it ends', async t => {
  const mayEnd = `${t.testdir({})}/may-end`
  const running = runCommand('with-stack.ts', shell(`sleep 1000 & echo up; until [ -e '${mayEnd}' ]; do sleep 0.05; done`))
  await running.untilOutput('up')
  const descendants = await findDescendants(running.pid)
  t.ok(descendants.length > 3, 'PostgreSQL and what the command started')
  await writeFile(mayEnd, '')
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

/** First on PATH; it starts Redis once it may. */
const lateRedis = `#!/bin/sh
until [ -e "$(dirname "$0")/may-start" ]; do sleep 0.05; done
PATH="\${PATH#*:}"
exec redis-server "$@"
`

t.test('SIGTERM while the servers start leaves none of them', needs('redis'), async t => {
  const directory = t.testdir({ 'redis-server': lateRedis })
  await chmod(`${directory}/redis-server`, 0o755)
  const running = runCommand('with-stack.ts', waits, { PATH: `${directory}:${process.env.PATH}` })
  let descendants: number[] = []
  while (descendants.length < 2) descendants = await findDescendants(running.pid)
  running.child.kill('SIGTERM')
  await writeFile(`${directory}/may-start`, '')
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
