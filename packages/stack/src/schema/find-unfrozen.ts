import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ts from 'typescript'

/** The folders of migrations, below `packages/core/src/db`; each has an index.ts that names what is in it. */
const migrationFolders = ['migrations', 'source-migrations']
/** A line for each migration that landed, in the order in which they did, as `sha256sum` writes them: `<hash>  <folder>/<file>`. */
const frozenFile = 'frozen-migrations.sha256'

interface Frozen { hash: string, path: string }

/**
 * What keeps the migrations below `directory` from being frozen, a sentence each: databases have run them, so that an edit
 * would reach some of them and not the others.
 */
export async function findUnfrozen (directory: string, folders = migrationFolders): Promise<string[]> {
  const frozen = parse(await readFile(join(directory, frozenFile), 'utf8').catch(() => ''))
  const present = (await Promise.all(folders.map(folder => findMigrations(directory, folder)))).flat()
  const missing = frozen.filter(({ path }) => !present.includes(path)).map(({ path }) => `${path} has landed and is gone: bring it back`)
  const problems = await Promise.all(present.map(path => problemsOf(directory, path, frozen.find(line => line.path === path))))
  return [...missing, ...problems.flat(), ...folders.flatMap(folder => findDisorder(frozen, folder))]
}

async function problemsOf (directory: string, path: string, frozen: Frozen | undefined): Promise<string[]> {
  const text = await readFile(join(directory, path))
  const hash = createHash('sha256').update(text).digest('hex')
  const problems: string[] = []
  if (frozen === undefined) {
    problems.push(`${path} is new: add this line at the end of packages/core/src/db/${frozenFile}\n${hash}  ${path}`)
  } else if (frozen.hash !== hash) {
    problems.push(`${path} was changed after it had landed: take the change back, and add a migration that makes it`)
  }

  const imported = ts.preProcessFile(text.toString(), true, true).importedFiles.map(file => file.fileName).filter(name => name !== 'kysely')
  if (imported.length > 0) problems.push(`${path} imports ${imported.join(', ')}: what may change later has no place in a migration`)

  const [folder = '', file = ''] = path.split('/')
  const index = await readFile(join(directory, folder, 'index.ts'), 'utf8')
  if (!index.includes(`'./${file}'`) || !index.includes(`'${file.replace(/\.ts$/, '')}':`)) {
    problems.push(`${path} is not in ${folder}/index.ts, so it is never run`)
  }
  return problems
}

/** Kysely refuses a migration whose name sorts before one that a database has run. */
function findDisorder (frozen: Frozen[], folder: string): string[] {
  const paths = frozen.map(({ path }) => path).filter(path => path.startsWith(`${folder}/`))
  return paths.flatMap((path, i) => path <= (paths[i - 1] ?? '')
    ? [`${path} landed after ${paths[i - 1]}: its number has to be higher`]
    : [])
}

async function findMigrations (directory: string, folder: string): Promise<string[]> {
  const files = await readdir(join(directory, folder))
  return files.filter(file => file !== 'index.ts').map(file => `${folder}/${file}`).sort()
}

function parse (text: string): Frozen[] {
  return text.split('\n').filter(line => line !== '').map(line => {
    const [hash = '', path = ''] = line.split(/ +/)
    return { hash, path }
  })
}
