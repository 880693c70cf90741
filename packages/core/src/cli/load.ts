import { Type } from '@sinclair/typebox'
import { SingleBar } from 'cli-progress'
import { databaseConfig, readArguments, readConfig } from '../config/index.ts'
import { createPool } from '../db/index.ts'
import { isServiceError, ServiceError } from '../errors.ts'
import { filesAtOnce, loadFiles, type LoadProgress, type LoadReport } from '../load/index.ts'
import { messageOf, runCommand } from './run-command.ts'

const usage = `usage: load [--progress] <file or folder>…

Loads FHIR R4 resources of any type into schema "source" of DATABASE_URL, made by \`migrate --source\`: the lines of *.ndjson and
*.ndjson.gz, a *.json that is a resource, the entries of one that is a Bundle; of folders all of these below them. Each resource is
kept whole, in the column "resource" of its type's table, which is made where it is missing; it belongs to the patient that R4's
patient compartment says, and a Group has its members. Loading again replaces what changed and keeps the rest.
  --progress   a line for each tenth of the bytes, where there is no terminal to show a bar on
Exit code: 0 all loaded, 1 some resources are no valid R4 (they are on stderr), 2 the load stopped.`

// The message alone: PostgreSQL's details may quote a row.
await runCommand(usage, run, (error) => `${isServiceError(error) ? '' : 'The load stopped: '}${messageOf(error)}`)

async function run (): Promise<number> {
  const { values, positionals } = readArguments({ allowPositionals: true, options: { progress: { type: 'boolean' } } })
  if (positionals.length === 0) {
    throw new ServiceError('INVALID_PARAMETER', 'No file is named, and no folder (DATA=<folder>; --help tells more)')
  }

  const config = readConfig(Type.Object(databaseConfig), process.env)
  const pool = createPool(config.DATABASE_URL, { applicationName: 'fhir-bulk-export-load', max: filesAtOnce, onError: console.error })
  const display = process.stderr.isTTY ? createDisplay() : values.progress ? createProgressLines() : undefined
  try {
    const report = await loadFiles(pool, positionals, {
      onProblem: ({ file, line, problem }) => console.error(`${file}:${line}: ${problem}`),
      ...display,
    })
    display?.stop()
    console.log(summarize(report))
    return report.rejected > 0 ? 1 : 0
  } finally {
    display?.stop()
    await pool.end()
  }
}

function createDisplay () {
  const started = performance.now()
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {resources} resources, {rate}/s', hideCursor: true, gracefulExit: false, clearOnComplete: true,
  })
  bar.start(1, 0, { resources: 0, rate: 0 })
  return {
    onProgress ({ resources, bytes, totalBytes }: LoadProgress): void {
      bar.setTotal(totalBytes)
      bar.update(bytes, { resources, rate: Math.round(1_000 * resources / (performance.now() - started)) })
    },
    stop (): void { bar.stop() },
  }
}

/** Where there is no terminal. */
function createProgressLines () {
  let shown = 0
  return {
    onProgress ({ bytes, totalBytes }: LoadProgress): void {
      const percent = Math.floor(10 * bytes / totalBytes) * 10
      if (percent > shown) console.log(`${percent}%`)
      shown = percent
    },
    stop (): void {},
  }
}

function summarize ({ types }: LoadReport): string {
  return [...types].map(([type, { loaded, unchanged, rejected }]) =>
    `${type}: ${loaded} loaded, ${unchanged} unchanged, ${rejected} rejected`).join('\n')
}
