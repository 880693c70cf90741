import { runInScope } from '../scope.ts'
import { fetchVersions } from './versions.ts'

/* `make postgres-versions`: the older majors of PostgreSQL, for the tests. */

runInScope(async () => {
  console.log(`PostgreSQL 14 to 17: ${await fetchVersions()}`)
  return 0
})
