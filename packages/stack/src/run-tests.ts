import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildBundles } from './bundles/build.ts'
import { sample } from './sample.ts'
import { inRepository } from './workspace.ts'

/*
 * `run-tests [--all] [file…]`: tap on the whole repository or on some files, started by this Node and not by the one on PATH. Without
 * --all they take samples (sample.ts), by SEED or by one of its own, and of the fault suite some files. The last line is `N passed,
 * N failed`, which are tap's own totals of assertions.
 */

const { values: { all }, positionals: named } = parseArgs({ options: { all: { type: 'boolean' } }, allowPositionals: true })
const seed = all === true ? undefined : process.env.SEED || String(randomInt(1_000_000))
const faultFiles = { all: findTests('packages/faults'), some: 5 }
const files = named.length > 0 ? named : findFiles()
// tap takes one core fewer than there are: on two it would run file after file. They wait for servers half of the time.
const jobs = availableParallelism() * 2

// A few files are run as they are, sources and all: by whoever changes these.
const isWhole = named.length === 0 || all === true
if (isWhole) await buildBundles()

const directory = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-tap-'))
const output = join(directory, 'all.tap')
// On a terminal tap redraws its screen; elsewhere `min` shows at the end what failed, and a line for each file is ours.
const reporter = process.stdout.isTTY ? 'terse' : 'min'
const preload = `--import=${new URL('tap-preload.ts', import.meta.url).href}`
const tap = spawn(process.execPath, [preload, findTap(), `--reporter=${reporter}`, `--output-file=${output}`, `--jobs=${jobs}`, ...files], {
  cwd: inRepository('.'),
  env: { ...process.env, TEST_SAMPLE_SEED: seed, TEST_BUNDLES: isWhole ? '1' : undefined },
  stdio: 'inherit',
})
let shown = 0
const showing = setInterval(() => { void showResults() }, 2_000) // never rejects
const [code] = await once(tap, 'exit')
clearInterval(showing)
const totals = readTotals(await showResults())
await rm(directory, { recursive: true, force: true })

const succeeded = code === 0
// A run that failed without a failed assertion (nothing ran, tap itself broke) must not be reported as one without failures.
const failed = succeeded ? totals.fail : Math.max(totals.fail, 1)
if (seed !== undefined) {
  if (named.length === 0) console.log(`of the fault suite ${faultFiles.some} files of ${faultFiles.all.length} ran`)
  console.log(`what is tested in very many combinations ran as a sample: SEED=${seed} (everything: make test-all)`)
}
if (totals.skip + totals.todo > 0) console.log(`${totals.skip} skipped, ${totals.todo} to do`)
console.log(`${totals.pass} passed, ${failed} failed`)
process.exitCode = succeeded ? 0 : 1

function findFiles (): string[] {
  const others = findTests('{apps,packages}/*').filter((file) => !faultFiles.all.includes(file))
  return [...sample('files of the fault suite', faultFiles.some, faultFiles.all, seed), ...others]
}

function findTests (folder: string): string[] {
  return globSync(`${folder}/test/**/*.test.ts`, { cwd: inRepository('.') }).sort()
}

/** A line for each file that has ended since the last call; returns all of tap's output so far. */
async function showResults (): Promise<string> {
  const report = await readFile(output, 'utf8').catch(() => '')
  const results = report.match(/^(not )?ok .*$/gm) ?? []
  const fresh = results.slice(shown)
  shown = results.length
  if (reporter === 'min' && fresh.length > 0) console.log(fresh.join('\n'))
  return report
}

function findTap (): string {
  const require = createRequire(import.meta.url)
  const manifest = require.resolve('tap/package.json')
  const { bin } = require(manifest) as { bin: { tap: string } }
  return join(manifest, '..', bin.tap)
}

/** From the last line of its kind in tap's output, which leaves out what is zero: `# { total: 7, pass: 3, fail: 2, todo: 1, skip: 1 }`. */
function readTotals (tapOutput: string): { pass: number, fail: number, skip: number, todo: number } {
  const line = tapOutput.match(/^# \{ total: .*\}$/gm)?.at(-1) ?? ''
  const read = (name: string): number => Number(new RegExp(`${name}: (\\d+)`).exec(line)?.[1] ?? 0)
  return { pass: read('pass'), fail: read('fail'), skip: read('skip'), todo: read('todo') }
}
