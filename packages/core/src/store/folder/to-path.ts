import { join } from 'node:path'
import type { FileKey } from '../content-store.ts'
import { assertFileKey } from '../file-key.ts'

export function toPath (directory: string, key: FileKey): string {
  assertFileKey(key)
  return join(directory, key)
}
