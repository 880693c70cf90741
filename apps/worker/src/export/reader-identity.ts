import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config.ts'

/**
 * The same for workers that write the same bytes of the same rows: they have the same code, and the settings that files depend on are
 * the same. One export is read by such workers alone. Of the encryption it has the key's name.
 */
export async function readReaderIdentity ({ EXPORT_ENCRYPTION_KEY, ...config }: Config): Promise<string> {
  const hash = createHash('sha256').update(process.version)
  const folders = [new URL('..', import.meta.url), new URL('..', import.meta.resolve('@fhir-bulk-export/core/db'))]
  for (const folder of folders) await addSources(fileURLToPath(folder), hash)
  const { EXPORT_FILE_BYTES, EXPORT_MAX_ATTACHMENT_BYTES, EXPORT_MAX_ROW_ERRORS, MRN_SYSTEM, ATTACHMENT_BASE_URLS, PUBLIC_URL } = config
  const settings = [
    EXPORT_FILE_BYTES, EXPORT_MAX_ATTACHMENT_BYTES, EXPORT_MAX_ROW_ERRORS, MRN_SYSTEM ?? null, ATTACHMENT_BASE_URLS, PUBLIC_URL,
    EXPORT_ENCRYPTION_KEY?.[0].id ?? null,
  ]
  return hash.update(JSON.stringify(settings)).digest('hex')
}

async function addSources (folder: string, hash: ReturnType<typeof createHash>): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile() && /\.(ts|json)$/.test(entry.name)).map((file) => join(file.parentPath, file.name))
  for (const path of paths.sort()) hash.update(path.slice(folder.length)).update(await readFile(path))
}
