import { execFile } from 'node:child_process'
import { access, constants, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CommandError } from '../command-error.ts'
import { optionalServers } from '../optional-servers.ts'
import { findProgram } from '../programs.ts'

/** The release that tests run on, that `make kubo` builds, and that docker/compose.yaml names. */
export const kuboVersion = '0.43.0'

const run = promisify(execFile)

/** `KUBO` (empty: none), or `ipfs` on PATH, or what `make kubo` built; undefined where there is none. */
export async function findKubo (): Promise<string | undefined> {
  const named = process.env.KUBO
  if (named !== undefined) return named === '' ? undefined : named
  const built = builtProgram()
  return await findProgram(optionalServers.kubo.program) ?? await access(built, constants.X_OK).then(() => built, () => undefined)
}

/**
 * Builds it from source, as its release is built; returns the program's path. `go install` refuses the module (its go.mod has
 * `exclude` directives), so the build runs in the module's own folder.
 */
export async function buildKubo (): Promise<string> {
  const go = await findProgram('go')
  if (go === undefined) throw new CommandError(`There is no Kubo, and no Go to build it with. ${optionalServers.kubo.how}`)
  const program = builtProgram()
  await mkdir(dirname(program), { recursive: true })
  const { stdout } = await run(go, ['mod', 'download', '-json', `github.com/ipfs/kubo@v${kuboVersion}`], { cwd: dirname(program) })
  const { Dir: source }: { Dir: string } = JSON.parse(stdout)
  const unfinished = `${program}.${process.pid}`
  try {
    await run(go, [
      'build', '-C', source, '-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags=-s -w', '-o', unfinished, './cmd/ipfs',
    ], { env: { ...process.env, CGO_ENABLED: '0' } })
    await rename(unfinished, program)
  } finally {
    await rm(unfinished, { force: true })
  }
  return program
}

function builtProgram (): string {
  const cache = process.env.XDG_CACHE_HOME ?? ''
  return join(cache === '' ? join(homedir(), '.cache') : cache, 'kubo', kuboVersion, 'ipfs')
}
