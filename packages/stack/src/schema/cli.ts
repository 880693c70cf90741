import { runInScope } from '../scope.ts'
import { startDatabase } from '../system.ts'
import { inRepository } from '../workspace.ts'
import { findDrift } from './find-drift.ts'
import { findUnfrozen } from './find-unfrozen.ts'
import { readTableTypes } from './read-table-types.ts'

/* `make schema`: migrations are as they landed, and a database that they made is as its types say. */

const directory = inRepository('packages/core/src/db')

runInScope(async scope => {
  const unfrozen = await findUnfrozen(directory)
  const drift = await findDrift(await startDatabase(scope, { durable: false }), readTableTypes(directory))
  const problems = [...unfrozen, ...drift]
  for (const problem of problems) console.error(problem)
  console.log(problems.length === 0 ? 'schema: migrations as they landed, tables as typed' : `schema: ${problems.length} problems`)
  return problems.length === 0 ? 0 : 1
})
