import t from 'tap'
import fc from 'fast-check'
import { ElementError, serializers, type SerializerContext } from '../../src/fhir/index.ts'
import { exportedTypes } from '../../src/source/relations.ts'
import { hostileRows, mark } from '../fixtures/hostile-rows.ts'
import { contextWith } from '../fixtures/rows.ts'
import { findProblems } from '../fixtures/validators.ts'

const runs = Number(process.env.FUZZ_RUNS ?? 500)

type Serialize = (row: object, context: SerializerContext) => object

for (const type of exportedTypes) {
  t.test(`every row, however hostile, becomes a valid ${type} or an error that shows nothing of it`, async t => {
    let exported = 0
    fc.assert(fc.property(hostileRows(type), function isValidOrRefused (row) {
      try {
        const serialize = serializers[type] as Serialize
        const context = contextWith({ mrnSystem: 'https://mrn.example.org', attachmentBaseUrls: ['https://files.example.org/'] })
        const problems = findProblems(serialize(row, context))
        if (problems.length > 0) throw new Error(problems.join('\n'))
        exported++
      } catch (error) {
        if (!(error instanceof ElementError)) throw error
        if (`${error.path} ${error.problem}`.includes(mark)) throw new Error(`shows content: ${error.path} ${error.problem}`)
      }
    }), { numRuns: runs })
    t.not(exported, 0, `${exported} of ${runs} rows were exported`)
    t.comment(`${exported} of ${runs} rows were exported`)
  })
}
