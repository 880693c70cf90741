import { checkResource } from '@fhir-bulk-export/core/r4'
import { createLineWriter, getDefinition } from '@fhir-bulk-export/core/resources'
import { fc, lineFixtures } from '@fhir-bulk-export/core/testing'
import t from 'tap'
import { createNdjson, toErrorLines } from '../../src/files/ndjson.ts'
import { inChunks, toCopyStream, type Fields } from '../fixtures/copy-stream.ts'

const { relationOf, toRow } = lineFixtures
type Values = Parameters<typeof toRow>[2]

const runs = Number(process.env.FUZZ_RUNS ?? 100)
const context = { mrnSystem: 'https://mrn.example.org', attachmentBaseUrls: ['https://files.example.org/'], elements: [] }

/** Rows through the writer of their type, cut into chunks: what comes out, and what was said of it. */
async function write (type: string, rows: Values[], elements: string[] = [], chunkBytes = 65_536, withheld: (
  row: Values, column: string
) => boolean = () => false) {
  const ndjson = createNdjson(100)
  const relation = relationOf(type)
  const writer = createLineWriter(relation, { ...context, elements }, ndjson.note)
  const stream = toCopyStream(rows.map((values): Fields => {
    const { bytes, starts, ends } = toRow(writer, relation, values)
    const fields = writer.columns.map((_, i) => starts[i] === -1 ? null : bytes.subarray(starts[i], ends[i]))
    const measured = writer.columns.flatMap(({
      isMeasured,
      sql
    }, i) => isMeasured ? [Buffer.from([fields[i] !== null || withheld(values, sql.slice(2)) ? 1 : 0])] : [])
    return [...fields, ...measured]
  }))
  const pieces: Buffer[] = []
  let count = 0
  let dealt = 0
  for await (const piece of ndjson.fromRows(type, writer, inChunks(stream, () => chunkBytes), (more) => { dealt += more })) {
    pieces.push(Buffer.from(piece.bytes))
    count += piece.count
  }
  const text = Buffer.concat(pieces).toString()
  return { pieces, count, dealt, lines: text.split('\n').slice(0, -1), isEnded: text === '' || text.endsWith('\n'), issues: ndjson.issues }
}

/** Nothing, in FHIR's and other spellings, values of other types, and text that some layer might choke on. */
const junk = fc.constantFrom<unknown>(null, '', ' ', [], {}, [null], [{}], 0, -1.50, 1e300, true, 'x\u0000', '\ud800', '\u2028', '"\\',
  '2024-02-30', { __proto__: null, constructor: 1 }, { reference: 'x' }, { coding: 'x' }, [['x']])
const text = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '"', '\u2028', '𠮷', 'e\u0301', ' '), minLength: 1 }))
const seldom = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 20, arbitrary: good }, { weight: 1, arbitrary: junk })
const reference = seldom(fc.record({
  reference: seldom(fc.constantFrom('Patient/1', 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b')),
  display: seldom(text)
}))
const concept = seldom(fc.record({
  text: seldom(text), coding: seldom(fc.array(seldom(fc.record({
    system: fc.constant('urn:x'),
    code: seldom(fc.constant('c'))
  })), { minLength: 1, maxLength: 2 }))
}))

const shapes: Record<string, Record<string, fc.Arbitrary<unknown>>> = {
  Patient: {
    name: seldom(fc.array(seldom(fc.record({ family: seldom(text) })), { maxLength: 2 })), mrn: fc.option(text), gender: seldom(
      fc.constantFrom('male', 'other')
    ), managing_organization: reference, resource: seldom(fc.record({ photo: junk }, { requiredKeys: [] }))
  },
  DocumentReference: {
    status: seldom(fc.constant('current')), description: text, type: concept,
    content: seldom(fc.constant([{ attachment: { url: '/a', title: 'x' } }]))
  },
  Consent: {
    status: seldom(fc.constantFrom('active', 'revoked')), organization: seldom(fc.array(reference)),
    decision: fc.constantFrom('permit', 'deny', 'x'), recipients: seldom(fc.array(reference))
  },
  Provenance: {
    target: seldom(fc.array(reference, { minLength: 1 })), recorded: fc.constant('2024-01-31T09:30:00Z'),
    agent: seldom(fc.array(fc.record({ who: reference })))
  },
  Observation: {
    resource: seldom(fc.record({
      resourceType: seldom(fc.constant('Observation')), status: seldom(fc.constant('final')),
      code: concept, valueString: seldom(text), subject: reference
    }))
  },
}

for (const [type, columns] of Object.entries(shapes)) {
  t.test(`rows of ${type}, however hostile, are valid lines or lines of the error file: each is one of them, none is both`, async (t) => {
    t.ok(getDefinition(type))
    let valid = 0
    await fc.assert(fc.asyncProperty(fc.array(fc.record(columns, { requiredKeys: [] }),
      { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 5_000 }), fc.boolean(), async (rows, chunkBytes, isSubset) => {
      const named = rows.map((row, i): Values => ({ id: `r-${i}`, updated_at: '2024-01-31T09:30:00Z', patient_id: 'p-1', ...row }))
      const { lines, count, dealt, isEnded, issues } = await write(type, named, isSubset ? ['name', 'status', 'Patient.gender'] : [],
        chunkBytes)
      const errors = issues.filter(({ severity }) => severity === 'error')
      t.ok(isEnded && dealt === rows.length && lines.length === count && lines.length + errors.length === rows.length,
        `${rows.length} rows, ${lines.length} lines, ${errors.length} errors`)
      const resources = lines.map((line) => JSON.parse(line))
      t.equal(new Set([...resources, ...errors].map(({ id }) => id)).size, rows.length, 'each row is told once')
      for (const [i, { resourceType, meta }] of resources.entries()) {
        t.equal(resourceType, type)
        t.equal(meta.tag?.[0]?.code, isSubset ? 'SUBSETTED' : undefined)
        if (!isSubset) t.ok(checkResource(Buffer.from(lines[i] ?? '')).isValid)
      }
      valid += lines.length
    }), { numRuns: runs })
    t.not(valid, 0, `${valid} lines`)
  })
}

const description = (text: string, i: number): Values => ({
  id: `r-${i}`, updated_at: '2024-01-31T09:30:00Z', patient_id: 'p',
  status: 'current', description: text, content: [{ attachment: { title: 'x' } }]
})

t.test('a text larger than a piece is a line like any other; more than a FHIR string may hold is an error', async (t) => {
  const huge = ['x'.repeat(600_000), '"\\'.repeat(150_000), 'small', '🙂'.repeat(200_000), 'x'.repeat(1_100_000), 'small']
  const { lines, count, pieces, issues } = await write('DocumentReference', huge.map(description))
  t.equal(count, 5)
  t.same(lines.map((line) => JSON.parse(line).description === huge[Number(JSON.parse(line).id.slice(2))]), [true, true, true, true, true])
  t.ok(pieces.every((piece) => piece.at(-1) === 0x0a), 'a piece is whole lines')
  t.match(issues, [{ severity: 'error', id: 'r-4', path: 'description' }])
})

t.test('many lines are pieces of at most 512 KiB', async (t) => {
  const { pieces, count } = await write('DocumentReference', Array.from({ length: 3_000 }, (_, i) => description('x'.repeat(i), i)))
  t.equal(count, 3_000)
  t.ok(pieces.length > 8 && pieces.every(({ length }) => length <= 512 * 1024))
})

t.test('what was withheld for its size is an issue of its element', async (t) => {
  const rows: Values[] = [description('a', 1), { ...description('b', 2), content: null }, { ...description('c', 3), resource: null }]
  const { count, issues } = await write('DocumentReference', rows, [], 65_536,
    (row, column) => (row.id === 'r-2' && column === 'content') || (row.id === 'r-3' && column === 'resource'))
  t.equal(count, 1)
  t.match(issues, [{ id: 'r-2', path: 'content', problem: 'is larger than EXPORT_MAX_ATTACHMENT_BYTES' },
    { id: 'r-3', path: '', problem: 'is larger than EXPORT_MAX_ATTACHMENT_BYTES' }])
  for await (const piece of toErrorLines(['ignored'], issues, 'https://fhir.example.org')) {
    for (const line of piece.bytes.toString().trimEnd().split('\n')) t.ok(checkResource(Buffer.from(line)).isValid)
  }
})
