import type pg from 'pg'
import { createBatches, createRelations } from './batches.ts'
import { findFiles, type SourceFile } from './find-files.ts'
import { findResources } from './find-resources.ts'
import { readTexts } from './read-files.ts'
import { createReport, type LoadProblem, type LoadReport } from './report.ts'

export interface LoadProgress {
  /** that were read */
  readonly resources: number
  readonly bytes: number
  readonly totalBytes: number
}

export interface LoadOptions {
  /** Called at times while files are read. */
  onProgress? (progress: LoadProgress): void
  /** Called for each resource that is not loaded. */
  onProblem? (problem: LoadProblem): void
}

/** Files that are read at once, each with a connection to write on. */
export const filesAtOnce = 4

/**
 * Loads FHIR R4 resources of any type into schema `source`: lines of `*.ndjson` and `*.ndjson.gz`, a resource in `*.json`, or the
 * entries of a Bundle there; from files or folders, in any order. Each is put into `resource` of its type's relation, which is made where
 * it is missing. A row of the same id is replaced, and is not deleted any more. Invalid R4 is reported and stops nothing.
 * @throws ServiceError NOT_FOUND for a path that does not exist, before anything is loaded; SOURCE_MISMATCH for a relation that cannot hold
 * resources; errors of the database.
 */
export async function loadFiles (
  pool: pg.Pool, paths: readonly string[], { onProgress, onProblem }: LoadOptions = {}
): Promise<LoadReport> {
  const files = await findFiles(paths)
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const report = createReport()
  const relations = createRelations(pool)
  const queue = files.values()
  let [resources, bytes, hasFailed] = [0, 0, false]

  function reject (type: string, { file, line, problem }: LoadProblem): void {
    report.rejected(type)
    onProblem?.({ file, line, problem })
  }

  /** Takes one file after the other. */
  async function load (): Promise<void> {
    const batches = createBatches(pool, relations, {
      onWritten: report.wrote,
      onRefused: ({ type, file, line }, problem) => { reject(type, { file, line, problem: `${type} ${problem}` }) },
    })
    for (const file of queue) await read(file)
    if (!hasFailed) await batches.end()

    async function read ({ path }: SourceFile): Promise<void> {
      const texts = readTexts(path, function tell (read) {
        bytes += read
        onProgress?.({ resources, bytes, totalBytes })
      })
      for await (const text of texts) {
        for (const found of findResources(text, path.endsWith('.json'))) {
          if (hasFailed) return
          resources++
          if ('row' in found) await batches.add({ type: found.type, row: found.row, file: path, line: found.line })
          else reject(found.type, { file: path, line: found.line, problem: found.problem })
        }
      }
    }
  }

  const ended = await Promise.allSettled(Array.from({ length: Math.min(filesAtOnce, files.length) }, async function stopAllWithOne () {
    try {
      await load()
    } catch (error) {
      hasFailed = true
      throw error
    }
  }))
  const failure = ended.find(({ status }) => status === 'rejected')
  if (failure?.status === 'rejected') throw failure.reason
  onProgress?.({ resources, bytes, totalBytes })
  return report.result()
}
