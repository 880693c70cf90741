import { generate } from '@fhir-bulk-export/stack/generate'
import t from 'tap'
import { checkResource } from '../../src/r4/index.ts'

t.test('the resources of the generated population are valid R4', async t => {
  let count = 0
  for (const generated of generate({ patients: 200, seed: 3 })) {
    if (!('resource' in generated)) continue
    count++
    const checked = checkResource(Buffer.from(JSON.stringify(generated.resource)))
    if (!checked.isValid) t.fail(`${generated.resource.resourceType} ${checked.path} ${checked.problem}`)
  }
  t.ok(count > 1_500, `${count} resources`)
})
