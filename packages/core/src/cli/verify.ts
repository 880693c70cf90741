import { Type } from '@sinclair/typebox'
import { databaseConfig, encryptionConfig, readArguments, readConfig, storeConfig } from '../config/index.ts'
import { assertMigrated, type FileRow } from '../db/index.ts'
import { ServiceError } from '../errors.ts'
import { findExport, findPublishedFiles, isExportId } from '../exports/index.ts'
import { openContentStore } from '../store/index.ts'
import { verifyFile } from '../verify/index.ts'
import { runCommand, withDatabase } from './run-command.ts'

const usage = `usage: verify <export id>

Fetches every file of a completed export from the content store and checks its CID, SHA-256, size and count, and that every line
is a valid FHIR R4 resource of its type. Reads DATABASE_URL, IPFS_URL and, for encrypted files, EXPORT_ENCRYPTION_KEY. Prints no content.
Exit code: 0 all is as it was published, 1 something is not, 2 nothing could be checked.`

await runCommand(usage, run)

async function run (): Promise<number> {
  const { positionals: [id = ''] } = readArguments({ allowPositionals: true })
  if (!isExportId(id)) {
    throw new ServiceError('INVALID_PARAMETER', `'${id}' is no export id: a UUID is expected, as in the export's URLs (JOB=<id>)`)
  }
  const config = readConfig(Type.Object({ ...databaseConfig, ...storeConfig, ...encryptionConfig }), process.env)
  return await withDatabase('verify', config.DATABASE_URL, async (db) => {
    await assertMigrated(db)
    const row = await findExport(db, id)
    if (row === undefined) throw new ServiceError('NOT_FOUND', 'There is no such export, or it has expired')
    const files = await findPublishedFiles(db, row.id)
    if (files === undefined) throw new ServiceError('NOT_FOUND', `The export is ${row.status}: it has no files`)
    const store = await openContentStore(config.IPFS_URL, { isPrepared: true })
    await store.ping()
    let bad = 0
    for (const file of files) {
      const problems = await verifyFile(store, file, config.EXPORT_ENCRYPTION_KEY)
      if (problems.length > 0) bad++
      console.log(toLine(file, problems))
    }
    await store.close()
    console.log(summarize(files, bad))
    return bad === 0 ? 0 : 1
  })
}

function toLine ({ name, count, size, cid, key_id: keyId }: FileRow, problems: string[]): string {
  if (problems.length > 0) return `BAD  ${name}: ${problems.join('; ')}`
  return `ok   ${name}: ${count} lines, ${size} bytes, ${cid}${keyId === null ? '' : `, encrypted under ${keyId}`}`
}

function summarize (files: FileRow[], bad: number): string {
  const sum = (column: 'count' | 'size') => files.reduce((total, file) => total + (file[column] ?? 0), 0)
  const verdict = bad === 0 ? 'all as published' : `${bad} files are not as published`
  return `${files.length} files, ${sum('count')} lines, ${sum('size')} bytes: ${verdict}`
}
