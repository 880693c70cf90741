import { findUsers } from './bare/find-users.ts'
import { linkPrograms } from './bare/link-programs.ts'
import { runScript } from './commands.ts'
import { runInScope } from './scope.ts'
import { inData, inRepository } from './workspace.ts'

/*
 * The test files that may use an optional server, as on a machine that has none: a test that starts one without `needs` fails. All else of
 * PATH is there.
 */
runInScope(async scope => {
  const files = await findUsers(inRepository('.'))
  return await runScript('packages/stack/src/with-stack.ts', {
    args: ['--', process.execPath, inRepository('packages/stack/src/run-tests.ts'), ...files],
    env: { PATH: await linkPrograms(inData('bare-path')), KUBO: '', POSTGRES_VERSIONS: '', REQUIRE_ALL: '' },
    accepted: [0, 1],
    signal: scope.signal,
    onLine: line => { console.log(line) },
  })
})
