import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Server } from './server.ts'

/** Starts a server in a new folder below `parent`, which is removed when it has stopped, or could not start. */
export async function startInOwnDirectory (parent: string, name: string, start: (directory: string) => Promise<Server>): Promise<Server> {
  const directory = await mkdtemp(join(parent, `fhir-bulk-export-${name}-`))
  const remove = async (): Promise<void> => await rm(directory, { recursive: true, force: true })
  try {
    const server = await start(directory)
    return {
      url: server.url,
      stop: async () => {
        await server.stop()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
