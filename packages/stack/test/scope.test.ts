import t from 'tap'
import { runProgram, type Running } from './fixtures/run-command.ts'

const scope = new URL('../src/scope.ts', import.meta.url).href
const commandError = new URL('../src/command-error.ts', import.meta.url).href

/** A command of two servers, which say when they are stopped. */
function run (main: string): Running {
  return runProgram(process.execPath, ['--input-type=module', '-e', `
    import { once } from 'node:events'
    import { runInScope } from '${scope}'
    import { CommandError } from '${commandError}'
    const server = name => ({ stop: async () => { console.log('stopped', name) } })
    runInScope(async ({ add, signal }) => {
      add(server('first'))
      add(server('second'))
      console.log('up')
      setInterval(() => {}, 1000)
      ${main}
    })`])
}

/** Once each; stderr may come before, between or after them. */
const stopped = /^(?![^]*stopped (second|first)\n[^]*stopped \1\n)[^]*stopped second\n[^]*stopped first\n/

t.test('the code that main returns is the exit code, and what it added is stopped, last one first', async t => {
  const { code, output } = await run('return 3').ended
  t.equal(code, 3)
  t.match(output, stopped)
})

t.test('a failure is printed: a command error by its message, any other with its stack', async t => {
  const expected = await run('throw new CommandError("port 3000 is in use")').ended
  t.equal(expected.code, 1)
  t.match(expected.output, /^port 3000 is in use$/m)
  t.notMatch(expected.output, / +at /)
  t.match(expected.output, stopped)
  const unexpected = await run('undefined.x').ended
  t.equal(unexpected.code, 1)
  t.match(unexpected.output, /TypeError: .*\n +at /)
  t.match(unexpected.output, stopped)
})

for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]] as const) {
  t.test(`${signal} aborts main, stops everything and exits with ${128 + number}`, async t => {
    const running = run(
      'await new Promise((resolve, reject) => { signal.addEventListener("abort", () => reject(new Error(signal.reason))) })'
    )
    await running.untilOutput('up')
    running.child.kill(signal)
    const { code, output } = await running.ended
    t.equal(code, 128 + number)
    t.match(output, stopped)
  })
}

t.test('a main that answers a signal by returning decides the code', async t => {
  const running = run('await once(signal, "abort"); return 0')
  await running.untilOutput('up')
  running.child.kill('SIGINT')
  const { code, output } = await running.ended
  t.equal(code, 0)
  t.match(output, stopped)
})

t.test('an error that nobody caught stops everything too', async t => {
  const { code, output } = await run('setImmediate(() => { throw new Error("nobody caught me") }); await once(signal, "abort")').ended
  t.equal(code, 1)
  t.match(output, /nobody caught me/)
  t.match(output, stopped)
})
