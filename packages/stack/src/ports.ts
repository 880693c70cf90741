import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { promisify } from 'node:util'

/**
 * A port of 127.0.0.1 that was free a moment ago. It is outside of the range from which a system gives clients theirs (from 32768 on, or
 * later): none gets it by chance before its server listens, or while that is down.
 */
export async function findFreePort (): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 30_000)
    if (await isPortFree(port)) return port
  }
}

/** Starts a server on a free port, and on another one if that was taken meanwhile. */
export async function startOnFreePort<T> (start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await findFreePort())
    } catch (error) {
      if (attempt === 3 || !/address already in use/i.test(String(error))) throw error
    }
  }
}

export async function isPortFree (port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer().listen(port, host)
  const free = await once(server, 'listening').then(() => true, () => false)
  if (free) await promisify(server.close.bind(server))()
  return free
}
