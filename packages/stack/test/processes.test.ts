import { access, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { spawnManaged, waitUntilReady } from '../src/processes.ts'
import { findDescendants } from './fixtures/descendants.ts'
import { runProgram } from './fixtures/run-command.ts'
import { untilGone } from './fixtures/until-gone.ts'

const env = { PATH: process.env.PATH }

function node (script: string, options: Partial<Parameters<typeof spawnManaged>[2]> = {}): ReturnType<typeof spawnManaged> {
  return spawnManaged(process.execPath, ['-e', script], { name: 'a child', env, ...options })
}

t.test('a process that ends before it is ready is reported with its last lines', async t => {
  const child = await node('console.log("so far so good"); console.error("out of luck"); process.exitCode = 3')
  await t.rejects(waitUntilReady(child, new Promise(() => {}), { name: 'a child', timeoutMs: 30_000 }), {
    message: 'a child ended before it was ready (exit code 3)\nits last lines:\n  so far so good\n  out of luck',
  })
})

t.test('a process that is not ready in time is stopped', async t => {
  const child = await node('setInterval(() => {}, 1000)')
  await t.rejects(waitUntilReady(child, new Promise(() => {}), { name: 'a child', timeoutMs: 50 }), {
    message: 'a child was not ready after 0.05 s',
  })
  await child.ended
})

t.test('a program that is not there is named', async t => {
  await t.rejects(spawnManaged('/no/such/program', [], { name: 'the thing', env }), { message: 'the thing could not be started' })
})

t.test('stop sends the signal, and kills what does not listen to it', async t => {
  const polite = await node('process.on("SIGTERM", () => process.exit(5)); setInterval(() => {}, 1000); console.log("up")')
  const stubborn = await new Promise<Awaited<ReturnType<typeof node>>>((resolve, reject) => {
    let started: Promise<Awaited<ReturnType<typeof node>>>
    // eslint-disable-next-line prefer-const
    started = node('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")', {
      stopTimeoutMs: 50, onLine: () => { resolve(started) },
    })
    started.catch(reject)
  })
  await Promise.all([polite.stop(), stubborn.stop()])
  t.strictSame(await stubborn.ended, { how: 'signal SIGKILL', code: null })
  await polite.stop()
})

t.test('if we are killed, the guard ends the child and removes its temporary directory', async t => {
  const temporary = await mkdtemp(join(tmpdir(), 'guarded-'))
  const processes = new URL('../src/processes.ts', import.meta.url).href
  const parent = runProgram(process.execPath, ['--input-type=module', '-e', `
    import { spawnManaged } from '${processes}'
    const options = { name: 'a child', env: {}, temporaryDirectory: '${temporary}' }
    const child = await spawnManaged(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], options)
    console.log('started', child.pid)
    setInterval(() => {}, 1000)`])
  await parent.untilOutput('started')
  const descendants = await findDescendants(parent.pid)
  t.equal(descendants.length, 2, 'the child and its guard')
  parent.child.kill('SIGKILL')
  await parent.ended
  await untilGone(descendants)
  await t.rejects(access(temporary), { code: 'ENOENT' })
})
