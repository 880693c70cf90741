import { mkdir, readdir, readlink, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findUsers } from '../../src/bare/find-users.ts'
import { linkPrograms } from '../../src/bare/link-programs.ts'
import { optionalServers } from '../../src/optional-servers.ts'
import { findProgram } from '../../src/programs.ts'
import { inRepository } from '../../src/workspace.ts'

t.test('a test file that may use an optional server is found, whichever way it takes', async t => {
  const root = t.testdir({
    apps: {},
    packages: {
      one: {
        test: {
          'asks.test.ts': "import { needs } from '@fhir-bulk-export/stack/optional-servers'",
          'by-fixture.test.ts': "import { start } from './fixtures/start.ts'",
          'starts.test.ts': "import { spawn } from 'node:child_process'\nspawn('redis-server')",
          'takes.test.ts': 'console.log(process.env.TEST_KUBO_URL)',
          'none.test.ts': "import { none } from './fixtures/none.ts'",
          fixtures: {
            'start.ts': "import { startRedis } from '@fhir-bulk-export/stack/redis'",
            'none.ts': "export { none } from '../none.test.ts'",
          },
        },
      },
    },
  })
  await mkdir(join(root, 'node_modules/@fhir-bulk-export'), { recursive: true })
  await symlink(inRepository('packages/stack'), join(root, 'node_modules/@fhir-bulk-export/stack'))
  t.same(await findUsers(root), ['asks', 'by-fixture', 'starts', 'takes'].map(name => `packages/one/test/${name}.test.ts`))
})

t.test('without the programs of optional servers, all others stay on PATH', async t => {
  const programs = t.testdir({ first: { 'redis-server': '', one: '' }, second: { 'redis-server': '', one: '', two: '' } })
  t.intercept(process, 'env', { value: { PATH: `${programs}/first:${programs}/none:${programs}/second` } })
  const folder = await linkPrograms(join(programs, 'links'))
  t.same(await readLinks(folder), { one: `${programs}/first/one`, two: `${programs}/second/two` })
  t.same(await readLinks(await linkPrograms(folder)), await readLinks(folder), 'again')
  t.intercept(process, 'env', { value: { PATH: folder } })
  t.equal(await findProgram(optionalServers.redis.program), undefined)
})

async function readLinks (folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder)
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await readlink(join(folder, name))])))
}
