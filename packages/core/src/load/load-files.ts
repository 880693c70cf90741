import type { Kysely } from 'kysely'
import { ElementError, join } from '../fhir/element-error.ts'
import { isObject, type Scope } from '../fhir/reading.ts'
import { resourceTypes } from '../fhir/resource-types.ts'
import { findFiles, type SourceFile } from './find-files.ts'
import { readLines, type Line } from './lines.ts'
import { createLoaders, type LoadedType } from './loaders.ts'
import { createReport, type LoadProblem, type LoadReport } from './report.ts'

export interface LoadProgress { readonly file: string, readonly bytes: number, readonly totalBytes: number }

export interface LoadOptions {
  /** Called at times while files are read; `bytes` of `totalBytes` are done. */
  onProgress? (progress: LoadProgress): void
  /** Called for each line that is not loaded. */
  onProblem? (problem: LoadProblem): void
}

const progressBytes = 4 * 1024 * 1024

/**
 * Loads FHIR R4 NDJSON into schema `source`: Patient, DocumentReference, Consent, Group and Provenance, in files or in the
 * `*.ndjson` of folders, in any order and mixture. A row that is there is replaced, and is not deleted any more. A bad line
 * is reported and stops nothing; what a row cannot hold is left out and counted.
 * @throws ServiceError NOT_FOUND for a path that does not exist, before anything is loaded; errors of the database.
 */
export async function loadFiles<DB> (db: Kysely<DB>, paths: readonly string[], options: LoadOptions = {}): Promise<LoadReport> {
  const files = await findFiles(paths)
  const report = createReport()
  const withProvenance = new Set<SourceFile>()
  const loaders = createLoaders(db, {
    wrote: report.wrote,
    refused (type, place, problem) {
      report.rejected(type)
      options.onProblem?.({ ...place, problem })
    },
  })

  function reject (type: string, file: SourceFile, line: Line, problem: string): void {
    report.rejected(type)
    options.onProblem?.({ file: file.path, line: line.line, problem })
  }

  async function take (type: LoadedType, resource: unknown, file: SourceFile, line: Line): Promise<void> {
    const scope: Scope = { purpose: 'load', attachmentBaseUrls: [], notes: [], depth: 0 }
    try {
      await loaders[type].take(resource, scope, { file: file.path, line: line.line }, line.bytes)
      report.notHeld(type, scope.notes)
    } catch (error) {
      if (!(error instanceof ElementError)) throw error
      reject(type, file, line, `${join(type, error.path)} ${error.problem}`)
    }
  }

  /** Everything but Provenance: whose it is may be known only by rows of any other line. */
  async function takeFirst (file: SourceFile, line: Line): Promise<void> {
    if ('problem' in line) return reject('unknown', file, line, line.problem)
    const resource = parse(line.text)
    const type = isObject(resource) ? resource.resourceType : undefined
    if (resource === undefined) reject('unknown', file, line, 'is not JSON')
    else if (typeof type !== 'string' || !resourceTypes.has(type)) reject('unknown', file, line, 'is not a FHIR R4 resource')
    else if (type === 'Provenance') withProvenance.add(file)
    else if (type in loaders) await take(type as LoadedType, resource, file, line)
    else report.skipped(type)
  }

  async function takeProvenance (file: SourceFile, line: Line): Promise<void> {
    if ('problem' in line || !line.text.includes('"Provenance"')) return
    const resource = parse(line.text)
    if (isObject(resource) && resource.resourceType === 'Provenance') await take('Provenance', resource, file, line)
  }

  await readAll(files, takeFirst, options)
  for (const loader of Object.values(loaders)) await loader.flush()
  await readAll([...withProvenance], takeProvenance, options)
  await loaders.Provenance.flush()
  return report.result()
}

async function readAll (
  files: readonly SourceFile[], take: (file: SourceFile, line: Line) => Promise<void>, { onProgress }: LoadOptions
): Promise<void> {
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0)
  let before = 0
  for (const file of files) {
    let bytes = 0
    let told = 0
    for await (const line of readLines(file.path)) {
      await take(file, line)
      bytes += line.bytes
      if (bytes - told < progressBytes) continue
      told = bytes
      onProgress?.({ file: file.path, bytes: before + bytes, totalBytes })
    }
    before += file.bytes
    onProgress?.({ file: file.path, bytes: before, totalBytes })
  }
}

/** The parser's own message would quote the line. */
function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
