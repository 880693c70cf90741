import { createHash } from 'node:crypto'
import t from 'tap'
import { findUnfrozen } from '../../src/schema/find-unfrozen.ts'
import { inRepository } from '../../src/workspace.ts'

const text = "import { sql } from 'kysely'\nexport async function up () {}\n"
const hash = createHash('sha256').update(text).digest('hex')

function index (...names: string[]): string {
  return names.map((name, i) => `import * as m${i} from './${name}.ts'\nexport const x${i} = { '${name}': m${i} }\n`).join('')
}

t.test('the migrations of this repository are frozen', async t => {
  t.strictSame(await findUnfrozen(inRepository('packages/core/src/db')), [])
})

t.test('a new migration is answered with the line to add', async t => {
  const directory = t.testdir({
    'frozen-migrations.sha256': `${hash}  migrations/1-a.ts\n`,
    migrations: { 'index.ts': index('1-a', '2-b'), '1-a.ts': text, '2-b.ts': text },
  })
  t.strictSame(await findUnfrozen(directory, ['migrations']), [
    `migrations/2-b.ts is new: add this line at the end of packages/core/src/db/frozen-migrations.sha256\n${hash}  migrations/2-b.ts`,
  ])
})

t.test('one that landed is neither edited nor removed', async t => {
  const directory = t.testdir({
    'frozen-migrations.sha256': `${hash}  migrations/1-a.ts\n${hash}  migrations/2-b.ts\n`,
    migrations: { 'index.ts': index('1-a'), '1-a.ts': `${text} ` },
  })
  t.strictSame(await findUnfrozen(directory, ['migrations']), [
    'migrations/2-b.ts has landed and is gone: bring it back',
    'migrations/1-a.ts was changed after it had landed: take the change back, and add a migration that makes it',
  ])
})

t.test('one that lands later has a higher number, in its own folder', async t => {
  const directory = t.testdir({
    'frozen-migrations.sha256': `${hash}  migrations/2-b.ts\n${hash}  source-migrations/1-s.ts\n${hash}  migrations/1-a.ts\n`,
    migrations: { 'index.ts': index('1-a', '2-b'), '1-a.ts': text, '2-b.ts': text },
    'source-migrations': { 'index.ts': index('1-s'), '1-s.ts': text },
  })
  t.strictSame(await findUnfrozen(directory), ['migrations/1-a.ts landed after migrations/2-b.ts: its number has to be higher'])
})

t.test('one that is not in the index, and one that imports what is not frozen, are named', async t => {
  const importing = "import { relations } from '../../source/relations.ts'\n"
  const other = createHash('sha256').update(importing).digest('hex')
  const directory = t.testdir({
    'frozen-migrations.sha256': `${other}  migrations/1-a.ts\n`, migrations: { 'index.ts': '', '1-a.ts': importing },
  })
  t.strictSame(await findUnfrozen(directory, ['migrations']), [
    'migrations/1-a.ts imports ../../source/relations.ts: what may change later has no place in a migration',
    'migrations/1-a.ts is not in migrations/index.ts, so it is never run',
  ])
})
