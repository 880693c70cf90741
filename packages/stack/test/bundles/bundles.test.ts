import { stat } from 'node:fs/promises'
import t from 'tap'
import { inRepository } from '../../src/workspace.ts'
import { runProgram } from '../fixtures/run-command.ts'

const address = (path: string): string => new URL(inRepository(path), 'file:').href
const run = `--import=${address('packages/stack/src/bundles/run.ts')}`
const migrate = inRepository('packages/core/src/cli/migrate.ts')

t.test('a program runs as its bundle, and what has none as its source', async t => {
  const env = { ...process.env, STACK_DATA: t.testdir() }
  const node = async (...args: string[]) => await runProgram(process.execPath, args, env).ended
  const build = `await (await import('${address('packages/stack/src/bundles/build.ts')}')).buildBundles()`
  const tell = `console.log(import.meta.resolve('${migrate}'), import.meta.resolve('${inRepository('packages/core/src/cli/load.ts')}'))`
  const load = address('packages/core/src/cli/load.ts')
  t.match(await node(run, '--eval', tell), { code: 0, output: `${address('packages/core/src/cli/migrate.ts')} ${load}\n` })

  t.strictSame(await node('--eval', build), { code: 0, signal: null, output: '' })
  const bundle = `${env.STACK_DATA}/bundles/packages/core/src/cli/migrate.mjs`
  t.match(await node(run, '--eval', tell), { code: 0, output: `${new URL(bundle, 'file:').href} ${load}\n` })
  const [source, bundled] = await Promise.all([node(migrate, '--nope'), node(run, migrate, '--nope')])
  t.match(source, { code: 2, output: /^Unknown option '--nope'/ })
  t.strictSame(bundled, source)

  const { ino } = await stat(bundle)
  t.equal((await node('--eval', build)).code, 0)
  t.equal((await stat(bundle)).ino, ino, 'one that is the same is left alone')
})
