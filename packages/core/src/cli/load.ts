import { Type } from '@sinclair/typebox'
import { databaseConfig, readArguments, readConfig } from '../config/index.ts'
import { createDatabase } from '../db/index.ts'
import { isServiceError, ServiceError } from '../errors.ts'
import { loadFiles, type LoadReport } from '../load/index.ts'
import { findSourceProblems } from '../source/index.ts'

const usage = `usage: load [--progress] <file or folder>…

Loads FHIR R4 NDJSON (Patient, DocumentReference, Consent, Group, Provenance; of folders every *.ndjson below them) into
schema "source" of DATABASE_URL, made by \`migrate --source\`. Loading again replaces what changed and keeps the rest.
  --progress   a line for each tenth of the bytes, where there is no terminal to show it on
Exit code: 0 all loaded, 1 some lines were bad (they are on stderr), 2 nothing could be loaded.`

process.exitCode = await run().catch(function explain (error: unknown) {
  // The message alone: PostgreSQL's details may quote a row.
  const message = error instanceof Error ? error.message : 'unknown error'
  console.error(isServiceError(error) ? message : `The load stopped: ${message}`)
  return 2
})

async function run (): Promise<number> {
  const { values, positionals } = readArguments({ allowPositionals: true, options: { progress: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
  if (values.help) {
    console.log(usage)
    return 0
  }
  if (positionals.length === 0) throw new ServiceError('INVALID_PARAMETER', 'No file is named, and no folder (DATA=<folder>; --help tells more)')

  const config = readConfig(Type.Object(databaseConfig), process.env)
  const db = createDatabase(config.DATABASE_URL, { applicationName: 'fhir-bulk-export-load', max: 1, onError: console.error })
  try {
    const problems = await findSourceProblems(db)
    if (problems.length > 0) throw new ServiceError('SOURCE_MISMATCH', `${problems.join('\n')}\nRun \`migrate --source\` first.`)
    const report = await loadFiles(db, positionals, {
      onProblem: ({ file, line, problem }) => console.error(`${file}:${line}: ${problem}`),
      ...(process.stderr.isTTY ? { onProgress: showProgress } : values.progress ? { onProgress: createProgressLines() } : {}),
    })
    console.log(summarize(report))
    return report.rejected > 0 ? 1 : 0
  } finally {
    await db.destroy()
  }
}

function showProgress ({ file, bytes, totalBytes }: { file: string, bytes: number, totalBytes: number }): void {
  process.stderr.write(`\r\u001b[K${Math.floor(100 * bytes / totalBytes)}% ${file}${bytes === totalBytes ? '\n' : ''}`)
}

function createProgressLines () {
  let shown = 0
  return function showProgress ({ bytes, totalBytes }: { bytes: number, totalBytes: number }): void {
    const percent = Math.floor(10 * bytes / totalBytes) * 10
    if (percent > shown) console.log(`${percent}%`)
    shown = percent
  }
}

function summarize ({ types, skipped, notHeld }: LoadReport): string {
  return [
    ...[...types].map(([type, { loaded, unchanged, rejected }]) => `${type}: ${loaded} loaded, ${unchanged} unchanged, ${rejected} rejected`),
    ...[...skipped].map(([type, lines]) => `${type}: ${lines} skipped, the source does not hold this type`),
    ...(notHeld.size > 0 ? ['Left out or changed, since a row has no place for it:'] : []),
    ...[...notHeld].map(([what, times]) => `  ${what} (${times} times)`),
  ].join('\n')
}
