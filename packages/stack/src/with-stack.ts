import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { CommandError } from './command-error.ts'
import { guard } from './guard.ts'
import { optionalServers } from './optional-servers.ts'
import { runInScope, type Scope } from './scope.ts'
import { startTestServers } from './test-servers.ts'
import { inData } from './workspace.ts'

/*
 * Runs a command with real servers: `with-stack [--] <command> [argument…]`. What the command finds in its environment is in
 * test-servers.ts. Its exit code is ours, signals are passed on to it, and nothing is left running.
 */

/** Tests start some thousand Node processes and threads, which spend half of their start on TypeScript and on compiling. */
const compileCache = inData('compile-cache')

const command = process.argv.slice(process.argv[2] === '--' ? 3 : 2)

runInScope(async scope => {
  const [file, ...args] = command
  if (file === undefined) throw new CommandError('usage: with-stack [--] <command> [argument…]')

  const { env, missing } = await startTestServers(scope)
  const warn = (): void => {
    for (const { name, how } of missing.map(name => optionalServers[name])) warnLoudly(`${name} tests do NOT run. ${how}`)
  }
  if (missing.length > 0 && process.env.REQUIRE_ALL === '1') {
    warn()
    throw new CommandError('REQUIRE_ALL=1: everything has to run')
  }
  warn()
  const code = await run(file, args, env, scope)
  warn()
  return code
})

/** In a process group of its own: a Ctrl-C in the terminal reaches it once, through us, and nothing of it outlives it. */
async function run (file: string, args: string[], env: NodeJS.ProcessEnv, scope: Scope): Promise<number> {
  scope.signal.throwIfAborted()
  const child = spawn(file, args, { env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...env }, stdio: 'inherit', detached: true })
  const exited = once(child, 'exit').catch(cause => { throw new CommandError(`${file} could not be started: ${cause.message}`) })
  const group = child.pid
  if (group === undefined) return await exited.then(() => 1)

  const dismissGuard = guard({ pid: group, signal: 'SIGTERM' })
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-group, signal)
    } catch {} // ESRCH: no process is left
  }
  const passOn = (): void => { signalGroup(typeof scope.signal.reason === 'string' ? scope.signal.reason as NodeJS.Signals : 'SIGTERM') }
  scope.signal.addEventListener('abort', passOn)
  const [code, signal] = await exited as [number | null, NodeJS.Signals | null]
  scope.signal.removeEventListener('abort', passOn)
  signalGroup('SIGKILL')
  dismissGuard()
  return code ?? 128 + constants.signals[signal ?? 'SIGTERM']
}

function warnLoudly (message: string): void {
  const line = '!'.repeat(78)
  console.error(`\n${line}\n!! ${message}\n${line}\n`)
}
