import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { once } from 'node:events'
import { createClientKey, keyFiles } from './client/key.ts'
import { CommandError } from './command-error.ts'
import { runScript } from './commands.ts'
import { describeAccess } from './curl-lines.ts'
import { findData, readInteger } from './population.ts'
import { isPortFree } from './ports.ts'
import { runInScope } from './scope.ts'
import { execute } from './sql.ts'
import { loadData, publicUrlOf, startDatabase, startServices } from './system.ts'
import { inData } from './workspace.ts'

/* `make start`: a system to try. Its data are kept in .data/start; remove that folder to begin anew. */

const directory = inData('start')
const demoClient = 'demo'

runInScope(async scope => {
  const port = readInteger('PORT', 3_000)
  if (port > 65_535) throw new CommandError(`PORT=${port}: there are ports up to 65535`)
  if (!await isPortFree(port)) {
    throw new CommandError(`port ${port} is in use: stop what listens there, or choose another: make start PORT=3001`)
  }
  await mkdir(directory, { recursive: true, mode: 0o711 }) // PostgreSQL, as another user if we are root, has to pass
  const jwtSecret = await keepSecret(join(directory, 'jwt-secret'))
  const databaseUrl = await startDatabase(scope, { dataDirectory: join(directory, 'postgres') })
  await loadOnce(databaseUrl, scope.signal)

  const keyFile = await keepClient(databaseUrl, scope.signal)
  const services = await startServices(scope, { databaseUrl, directory, port, jwtSecret })
  const [patient] = await execute(databaseUrl, 'SELECT id FROM source.patients WHERE deleted_at IS NULL ORDER BY id LIMIT 1')
  console.log(describeAccess({
    publicUrl: publicUrlOf(port), jwtSecret, patientId: patient === undefined ? undefined : String(patient.id), databaseUrl, directory,
    client: { id: demoClient, keyFile },
  }))
  await Promise.race([once(scope.signal, 'abort'), services.broken])
  return 0
})

/** Random, one for each data folder, readable by us alone: tokens stay good over a restart. */
async function keepSecret (file: string): Promise<string> {
  await writeFile(file, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' }).catch(unlessKept)
  return await readFile(file, 'utf8')
}

function unlessKept (error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

/** A client that may read everything, with a key that is kept as the secret is. */
async function keepClient (databaseUrl: string, signal: AbortSignal): Promise<string> {
  const name = join(directory, 'demo-client')
  const { keyFile, jwksFile } = keyFiles(name)
  await createClientKey(name).catch(unlessKept)
  await runScript('packages/core/src/cli/client.ts', {
    args: ['add', demoClient, '--name', 'Demo client', '--jwks-file', jwksFile, '--scope', 'system/*.rs'],
    env: { DATABASE_URL: databaseUrl },
    accepted: [0, 1], // 1: it is registered since an earlier start
    signal,
  })
  return keyFile
}

async function loadOnce (databaseUrl: string, signal: AbortSignal): Promise<void> {
  const marker = join(directory, 'loaded')
  const before = await readFile(marker, 'utf8').catch(() => undefined)
  if (before !== undefined) {
    console.log(`Data of ${before.trim()} (kept; remove ${directory} to begin anew)`)
    return
  }
  const data = await findData({ defaultPatients: 1_000, signal })
  console.log(`Loading ${data}`)
  await loadData(databaseUrl, data, signal)
  await writeFile(marker, `${data}\n`)
}
