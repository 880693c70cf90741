import { createDatabase } from '@fhir-bulk-export/core/db'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { openDatabase } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { openService } from './fixtures/service.ts'

/* Settings that are harmless are in packages/faults/test/settings.test.ts: that they are takes an API, too. */

t.test('a worker refuses what would change an export and cannot be set, and names it', async (t) => {
  const service = await openService(t)
  const { environment: { DATABASE_URL = '' } } = service
  const database = sql.id(new URL(DATABASE_URL).pathname.slice(1))
  for (const [name, value] of [
    ['default_transaction_read_only', 'on'],
    ['session_replication_role', 'replica'],
    ['zero_damaged_pages', 'on'],
    ['ignore_checksum_failure', 'on'],
    ['track_activities', 'off'],
  ] as const) {
    await sql`ALTER DATABASE ${database} SET ${sql.id(name)} = ${sql.lit(value)}`.execute(service.db)
    await t.rejects(service.startWorker(), { code: 'SETTING_REFUSED', message: new RegExp(`${name} is ${value}: `) })
    await sql`SET default_transaction_read_only = off`.execute(service.db) // of the session that ALTERs
    await sql`ALTER DATABASE ${database} RESET ${sql.id(name)}`.execute(service.db)
  }
  await (await service.startWorker()).close()
})

t.test('a database that does not know its encoding is refused, one of another encoding is not', async (t) => {
  const admin = openDatabase(t, await createTestDatabase(t), { max: 1 })
  for (const encoding of ['SQL_ASCII', 'LATIN1']) {
    const name = `test_${encoding.toLowerCase()}_${process.pid}`
    const url = new URL(process.env.TEST_DATABASE_URL ?? '')
    url.pathname = `/${name}`
    await sql`CREATE DATABASE ${sql.id(name)} TEMPLATE template0 ENCODING ${sql.lit(encoding)} LOCALE_PROVIDER libc LOCALE 'C'`.execute(
      admin
    )
    const db = createDatabase(url.href, { applicationName: 'test', onError: () => {} })
    const found = sql<{ name: string }>`SELECT U&'M\\00FCller' AS name`.execute(db)
    if (encoding === 'SQL_ASCII') await t.rejects(found, { code: 'SETTING_REFUSED', message: /server_encoding is SQL_ASCII/ })
    else t.same((await found).rows, [{ name: 'Müller' }])
    await db.destroy()
    await sql`DROP DATABASE ${sql.id(name)}`.execute(admin)
  }
})

t.test('a role that takes another role as it logs in is judged by that one', async (t) => {
  const service = await openService(t)
  const url = new URL(service.environment.DATABASE_URL ?? '')
  const login = `login_${process.pid}`
  const other = `other_${process.pid}`
  await sql`CREATE ROLE ${sql.id(login)} LOGIN SUPERUSER PASSWORD 'login'`.execute(service.db)
  await sql`CREATE ROLE ${sql.id(other)}`.execute(service.db)
  t.teardown(async () => { await sql`DROP OWNED BY ${sql.id(other)}; DROP ROLE ${sql.id(login)}, ${sql.id(other)}`.execute(service.db) })
  await sql`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${sql.id(other)}`.execute(service.db)
  await sql`ALTER ROLE ${sql.id(login)} SET role = ${sql.lit(other)}`.execute(service.db)
  url.username = login
  url.password = 'login'
  await t.rejects(service.startWorker({ DATABASE_URL: url.href }), { code: 'GRANT_MISSING' })
})
