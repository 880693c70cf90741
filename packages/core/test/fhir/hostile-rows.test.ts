import t from 'tap'
import fc from 'fast-check'
import { ElementError, serializers, type SerializerContext } from '../../src/fhir/index.ts'
import { exportedRelations, exportedTypes, relations, type ColumnType, type ExportedType } from '../../src/source/relations.ts'
import { contextWith } from '../fixtures/rows.ts'
import { shapes } from '../fixtures/shapes.ts'
import { findProblems } from '../fixtures/validators.ts'

const mark = 'SENTINEL'
const runs = Number(process.env.FUZZ_RUNS ?? 500)

/** Nothing, in FHIR's and other spellings; values of other types; strings that some layer might choke on. */
const junk = fc.constantFrom<unknown>(
  null, '', ' ', [], {}, [null], [{}], [''], 0, -1, 1.5, 1e300, true, mark, `${mark}\u0000`, '\ud800', '\u00a0', '\u2028', '"', '\\', '{}', '#x', '2024-02-30',
  '__proto__', { __proto__: null, constructor: mark }, { [mark]: mark }, { resourceType: 'Patient' }, [[mark]], { reference: mark }, { coding: mark }, { modifierExtension: [{}] }
)

/** Good text by the column's type, where its name does not ask for a code. */
const scalars: Record<Exclude<ColumnType, 'jsonb'>, fc.Arbitrary<string>> = {
  text: fc.constantFrom('some text', 'r-1'),
  date: fc.constantFrom('2019', '2019-05', '2019-05-31', '2024-02-29'),
  dateTime: fc.constantFrom('2019', '2019-05-31', '2019-05-31 10:00:00.5+00', '2019-05-31T10:00:00+02:00'),
  timestamptz: fc.constantFrom('2019-05-31 10:00:00.5+00', '0001-01-01 00:00:00+00'),
  boolean: fc.constantFrom('t', 'f'),
  integer: fc.constantFrom('1', '2', '-1'),
}
const codes: Record<string, fc.Arbitrary<string>> = {
  id: fc.constant('r-1'),
  patient_id: fc.constant('p-1'),
  gender: fc.constantFrom('male', 'unknown'),
  'DocumentReference.status': fc.constantFrom('current', 'superseded'),
  'Consent.status': fc.constantFrom('active', 'revoked', 'draft'),
  doc_status: fc.constantFrom('final', 'amended'),
  decision: fc.constantFrom('permit', 'deny'),
  action: fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'APPEND', 'NULLIFY'),
}
const badText = fc.constantFrom(
  mark, `${mark}\u0001`, '', ' ', '\ud800', 'null', 'x'.repeat(70), 'VIEW', '0000', '2023-02-29', '2019-05-31T10:00:00', 'infinity', '-infinity',
  '0044-03-15 00:00:00+00 BC', '294276-12-31 00:00:00+00', '9999999999', '1.5'
)
const badJson = fc.oneof(junk.map(value => JSON.stringify(value)), fc.constant(`{${mark}`))
const usual = ['id', 'patient_id', 'updated_at', 'status', 'content', 'target', 'recorded']

function columnOf (type: ExportedType, column: string, kind: ColumnType): fc.Arbitrary<string | null> {
  const good = kind === 'jsonb'
    ? shapes[type][column]!(junk).map(value => JSON.stringify(value) ?? null)
    : codes[`${type}.${column}`] ?? codes[column] ?? scalars[kind]
  return fc.oneof(
    { weight: usual.includes(column) ? 1 : 60, arbitrary: fc.constant(null) },
    { weight: 100, arbitrary: good },
    { weight: 1, arbitrary: kind === 'jsonb' ? badJson : badText }
  )
}

type Serialize = (row: object, context: SerializerContext) => object

for (const type of exportedTypes) {
  t.test(`every row, however hostile, becomes a valid ${type} or an error that shows nothing of it`, async t => {
    const row = fc.record(Object.fromEntries(
      Object.entries(relations[exportedRelations[type]]).map(([column, kind]) => [column, columnOf(type, column, kind)])
    ))
    let exported = 0
    fc.assert(fc.property(row, function isValidOrRefused (row) {
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
