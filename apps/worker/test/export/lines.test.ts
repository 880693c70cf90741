import { isId } from '@fhir-bulk-export/core/fhir'
import { exportedRelations, exportedTypes, relations } from '@fhir-bulk-export/core/source'
import { fc, findProblems, hostileRows } from '@fhir-bulk-export/core/testing'
import t from 'tap'
import { createNdjson, toErrorLines } from '../../src/export/ndjson.ts'

type Row = Record<string, string | null>

const runs = Number(process.env.FUZZ_RUNS ?? 100)
const elements = ['name', 'status', 'Patient.birthDate', 'Consent.provision', 'Provenance.entity']
const context = { mrnSystem: 'https://mrn.example.org', attachmentBaseUrls: ['https://files.example.org/'], asOf: new Date('2024-06-01') }

/** Text that a row, COPY, a line or JSON might choke on. */
const odd = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).map((text) => text.replaceAll('\0', '')),
  fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', '\\N', '\\.', '"', '\u2028', '\ufeff', '𠮷', 'e\u0301', '\u202e', ' '), minLength: 1 })
)
const huge = ['x'.repeat(600_000), '"\\'.repeat(150_000), '🙂'.repeat(200_000), 'x'.repeat(1_100_000)]
/** Columns of plain text, and how the same text stands in jsonb. */
const places: Record<string, (text: string) => Row> = {
  Patient: (text) => ({ name: JSON.stringify([{ family: text }]), mrn: text }),
  DocumentReference: (text) => ({ description: text }),
  Consent: (text) => ({ organization: JSON.stringify([{ display: text }]) }),
  Provenance: (text) => ({ agent: JSON.stringify([{ who: { display: text } }]) }),
}

/** As COPY writes it (PostgreSQL manual, COPY, Text Format); before the columns stands whether attachments were withheld. */
function toCopyLine (row: Row, columns: string[]): string {
  const letters: Record<string, string> = { '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' }
  const escape = (text: string | null | undefined) => text == null ? '\\N' : text.replace(/[\\\b\f\n\r\t\v]/g, (letter) => letters[letter] ?? letter)
  return ['f', ...columns.map((column) => escape(row[column]))].join('\t') + '\n'
}

async function * inChunks (bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function textOf (pieces: AsyncIterable<{ bytes: Buffer, count: number }>) {
  let text = ''
  let count = 0
  for await (const piece of pieces) {
    text += piece.bytes.toString()
    count += piece.count
  }
  return { text, count }
}

for (const type of exportedTypes) {
  t.test(`rows of ${type}, however hostile, are valid lines or lines of the error file: each is one of them, none is both`, async (t) => {
    const columns = Object.keys(relations[exportedRelations[type]])
    const rows = fc.array(fc.tuple(hostileRows(type), fc.option(odd, { freq: 3 })).map(([row, text]) => ({ ...row, ...(text === null ? {} : places[type]?.(text)) })), { minLength: 1, maxLength: 12 })
    let valid = 0
    await fc.assert(fc.asyncProperty(rows, fc.integer({ min: 1, max: 100_000 }), fc.boolean(), async function isWhole (rows, chunkBytes, isSubset) {
      const named = rows.map((row, i) => isId(row.id) ? { ...row, id: `r-${i}` } : row)
      const ndjson = createNdjson(context, 100, isSubset ? elements : [])
      const bytes = Buffer.from(named.map((row) => toCopyLine(row, columns)).join(''))
      let dealt = 0
      const { text, count } = await textOf(ndjson.fromRows(type, columns, inChunks(bytes, chunkBytes), (rows) => { dealt += rows }))
      if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end')
      const lines = text.split('\n').slice(0, -1).map((line) => JSON.parse(line))
      const errors = ndjson.issues.filter(({ severity }) => severity === 'error')
      if (dealt !== rows.length || lines.length !== count || lines.length + errors.length !== rows.length) throw new Error(`${rows.length} rows, ${lines.length} lines, ${errors.length} errors`)
      const ids = [...lines.map(({ id }) => id), ...errors.flatMap(({ id }) => id ?? [])]
      if (new Set(ids).size !== ids.length) throw new Error('a row is told twice')
      for (const line of lines) {
        if (line.resourceType !== type) throw new Error(line.resourceType)
        if (isSubset && line.meta.tag?.[0]?.code !== 'SUBSETTED') throw new Error('is not tagged')
        const problems = findProblems(line)
        if (problems.length > 0) throw new Error(problems.join('\n'))
      }
      const told = await textOf(toErrorLines([], ndjson.issues))
      for (const line of told.text.split('\n').slice(0, -1)) {
        const problems = findProblems(JSON.parse(line))
        if (problems.length > 0) throw new Error(problems.join('\n'))
      }
      valid += lines.length
    }), { numRuns: runs })
    t.not(valid, 0, `${valid} lines`)
  })
}

t.test('a text larger than a piece is a line like any other; more than a FHIR string may hold is an error', async (t) => {
  const columns = Object.keys(relations.medical_records)
  const rows = huge.map((description, i) => ({
    id: `r-${i}`, updated_at: '2024-01-31 09:30:00+00', patient_id: 'p', status: 'current', description, content: '[{"attachment":{"contentType":"text/plain","data":"aGVsbG8="}}]',
  }))
  const ndjson = createNdjson(context, 100)
  const { text, count } = await textOf(ndjson.fromRows('DocumentReference', columns, inChunks(Buffer.from(rows.map((row) => toCopyLine(row, columns)).join('')), 65_536), () => {}))
  t.equal(count, 3)
  t.same(text.split('\n').slice(0, -1).map((line) => JSON.parse(line).description === huge[Number(JSON.parse(line).id.slice(2))]), [true, true, true])
  t.match(ndjson.issues, [{ severity: 'error', id: 'r-3', path: 'description' }])
})
