import { runInScope } from '../scope.ts'
import { buildKubo, findKubo } from './program.ts'

/* `make kubo`: the IPFS node of the tests, built unless there is one. */

runInScope(async () => {
  console.log(`Kubo: ${await findKubo() ?? await buildKubo()}`)
  return 0
})
