import { createReadStream } from 'node:fs'
import { Type } from '@sinclair/typebox'
import type { Kysely } from 'kysely'
import {
  addClient, disableClient, findClients, isClientId, parseKeySet, rotateClient, toClientScopes, type ClientKeys,
} from '../clients/index.ts'
import { databaseConfig, origin, readArguments, readConfig } from '../config/index.ts'
import { assertMigrated, type ClientRow, type Database } from '../db/index.ts'
import { ServiceError } from '../errors.ts'
import { readAtMost } from '../read-at-most.ts'
import { isId } from '../resources/index.ts'
import { runCommand, withDatabase } from './run-command.ts'

const usage = `usage: client add <id> --scope <scope>… (--jwks-file <file> | --jwks-url <url>) [--name <name>] [--group <id>…] [limits]
       client list
       client disable <id>
       client rotate <id> (--jwks-file <file> | --jwks-url <url>)

The clients of POST /auth/token (SMART Backend Services) in DATABASE_URL. A client signs with a key of its own (RS384, ES384); what is
registered is the public half, as a JWK Set in a file (-: standard input) or at an https:// address.
  --scope    what it may have at most: system/<type, or *>.rs or .read; as often as there are
  --group    the only groups that it may export, and nothing but groups; without it the client exports at every level
  --max-active-exports, --max-kick-offs-per-minute, --max-requests-per-minute   limits of its own, in place of the service's
disable stops its tokens at once, and for good: its id is not used again. rotate replaces its keys; tokens that it has stay good.
Exit code: 0 done, 1 the id is taken, unknown or disabled, 2 nothing could be done.`

const options = {
  name: { type: 'string' },
  scope: { type: 'string', multiple: true },
  group: { type: 'string', multiple: true },
  'jwks-file': { type: 'string' },
  'jwks-url': { type: 'string' },
  'max-active-exports': { type: 'string' },
  'max-kick-offs-per-minute': { type: 'string' },
  'max-requests-per-minute': { type: 'string' },
} as const

const maxKeySetBytes = 256 * 1024

await runCommand(usage, run)

type Given = ReturnType<typeof readArguments<{ allowPositionals: true, options: typeof options }>>['values']
type Work = (db: Kysely<Database>) => Promise<number>

async function run (): Promise<number> {
  const { values, positionals } = readArguments({ allowPositionals: true, options })
  const work = await toWork(positionals, values)
  const config = readConfig(Type.Object(databaseConfig), process.env)
  return await withDatabase('client', config.DATABASE_URL, async (db) => {
    await assertMigrated(db)
    return await work(db)
  })
}

async function toWork ([command, id = '', ...others]: string[], given: Given): Promise<Work> {
  if (others.length > 0) throw invalid(`Unexpected argument '${others[0]}'`)
  if (command === 'list' && id === '') return list
  if (command !== 'add' && command !== 'disable' && command !== 'rotate') throw invalid('add, list, disable or rotate is expected')
  if (!isClientId(id)) throw invalid(`'${id}' is no client id: 1 to 64 of A-Z a-z 0-9 . _ ~ - are expected`)
  if (command === 'disable') {
    return async (db) => report(await disableClient(db, id),
      `${id} is disabled: its tokens are refused from now on`, `${id} is unknown, or disabled already`)
  }
  const keys = await readKeys(given)
  if (command === 'rotate') {
    return async (db) => report(await rotateClient(db, id, keys), `${id} has other keys`, `${id} is unknown, or disabled`)
  }
  const client = {
    id,
    name: given.name ?? id,
    scopes: toClientScopes(given.scope ?? []),
    group_ids: readGroups(given.group),
    max_active_exports: readLimit('max-active-exports', given, 10_000),
    max_kick_offs_per_minute: readLimit('max-kick-offs-per-minute', given, 10_000),
    max_requests_per_minute: readLimit('max-requests-per-minute', given, 60_000),
  }
  return async (db) => report(await addClient(db, client, keys), `${id} is registered`,
    `${id} is registered already (a disabled client keeps its id)`)
}

async function readKeys ({ 'jwks-file': file, 'jwks-url': url }: Given): Promise<ClientKeys> {
  if ((file === undefined) === (url === undefined)) throw invalid('Either --jwks-file or --jwks-url is expected')
  if (url !== undefined) {
    if (!new RegExp(`^${origin}(/[^\\s#]*)?$`).test(url)) {
      throw invalid('--jwks-url: an https:// URL is expected (http:// for localhost, 127.0.0.1 and [::1] alone)')
    }
    return { jwksUrl: url }
  }
  const bytes = file === undefined || file === '-' ? process.stdin : createReadStream(file)
  return { jwks: parseKeySet((await readAtMost(bytes, maxKeySetBytes)).toString()) }
}

function readGroups (ids: string[] | undefined): string[] | null {
  const wrong = ids?.find((id) => !isId(id))
  if (wrong !== undefined) throw invalid(`--group '${wrong}': the id of a Group is expected`)
  return ids === undefined ? null : [...new Set(ids)]
}

function readLimit (
  name: 'max-active-exports' | 'max-kick-offs-per-minute' | 'max-requests-per-minute', given: Given, max: number
): number | null {
  const text = given[name]
  if (text === undefined) return null
  const limit = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > max) throw invalid(`--${name}: a whole number from 1 to ${max} is expected`)
  return limit
}

function report (isDone: boolean, done: string, refused: string): number {
  if (isDone) console.log(done)
  else console.error(refused)
  return isDone ? 0 : 1
}

async function list (db: Parameters<Work>[0]): Promise<number> {
  const clients = await findClients(db)
  for (const client of clients) console.log(toLine(client))
  if (clients.length === 0) console.log('No client is registered')
  return 0
}

function toLine (
  { id, name, disabled_at: disabledAt, scopes, group_ids: groups, jwks, jwks_url: url, keys_since: since, ...limits }: ClientRow
): string {
  const keys = url ?? jwks?.keys.map(({ kid }) => String(kid)).join(' ') ?? ''
  const own = ([['active', limits.max_active_exports], ['kick-offs', limits.max_kick_offs_per_minute],
    ['requests', limits.max_requests_per_minute]] as const)
    .flatMap(([what, limit]) => limit === null ? [] : [`${what} ${limit}`])
  return [
    id, JSON.stringify(name), disabledAt === null ? 'active' : `disabled ${disabledAt.toISOString()}`, `scopes ${scopes.join(' ')}`,
    ...(groups === null ? [] : [`groups ${groups.join(' ')}`]), `keys ${keys} since ${since.toISOString()}`, ...own,
  ].join('  ')
}

function invalid (text: string): ServiceError {
  return new ServiceError('INVALID_PARAMETER', `${text} (--help tells more)`)
}
