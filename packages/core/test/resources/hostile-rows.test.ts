import { readFileSync } from 'node:fs'
import { times } from '@fhir-bulk-export/stack/sample'
import t from 'tap'
import fc from 'fast-check'
import { checkResource, resourceTypes } from '../../src/r4/index.ts'
import { getDefinition } from '../../src/resources/index.ts'
import { change, changes, hostileRows, mark } from '../fixtures/hostile-rows.ts'
import { lineOf, type Values } from '../fixtures/lines.ts'
import { findProblems } from '../fixtures/validators.ts'

const runs = Number(process.env.FUZZ_RUNS ?? times({ all: 500, some: 100 }))
const context = { mrnSystem: 'https://mrn.example.org', attachmentBaseUrls: ['https://files.example.org/'] }

/** The row's line if it is one that no judge objects to; undefined for an issue that says where and shows nothing. */
function toValid (type: string, row: Values): object | undefined {
  const { resource, issue, line } = lineOf(type, row, context)
  if (issue === undefined) {
    const problems = findStructuralProblems(line)
    if (problems.length > 0) throw new Error(`${problems.join('\n')}\n${line}`)
    return resource
  }
  if (issue.problem === '' ||
    (issue.path === '' && !/resource|must be|empty/.test(issue.problem))) throw new Error(`says too little: ${JSON.stringify(issue)}`)
  if (`${issue.path} ${issue.problem}`.includes(mark)) throw new Error(`shows content: ${JSON.stringify(issue)}`)
  return undefined
}

/** The judges' rules that are none of R4's structure: of prose (`pat-1`), of what a reference leads to, of codes of concepts … */
const others = [
  /Constraint (?!ele-1)\S+ not met/, /Invalid type for reference/, /Code ".*" (?:\(.*\))? not found/,
  /\.\d+: is empty$|Code "null" not found/, // nulls that hold the place of extensions
  /Invalid base64Binary format$/, // blanks
  /^\w+\..+\.id: Invalid id format/, // ids of elements are strings
]

/** A string of blanks, and characters that JavaScript's \s has and R4's does not, are content. */
function findStructuralProblems (line: string): string[] {
  const judged: object = JSON.parse(line.replace(/[\u00a0\u2028]/g, 'n').replace(/(?<=[:[,])" +"/g, '"n"'))
  return findProblems(judged).filter((problem) => !others.some((pattern) => pattern.test(problem)))
}

/** The resource that was given, with the id and the time that its row has. */
function withOwn ({ id, meta }: Values, given: Values): Values {
  const { lastUpdated } = meta as Values
  return { ...given, id, meta: { ...given.meta as object | undefined, lastUpdated } }
}

const typesWithColumns = resourceTypes.filter((type) => Object.keys(getDefinition(type).over).length > 0)

for (const type of typesWithColumns) {
  t.test(`every row of columns, however hostile, becomes a valid ${type} or an issue that shows nothing of it`, async (t) => {
    let exported = 0
    fc.assert(fc.property(hostileRows(type), (row) => {
      if (toValid(type, { ...row, resource: null }) !== undefined) exported++
    }), { numRuns: runs })
    t.not(exported, 0, `${exported} of ${runs} rows were exported`)
  })

  t.test(`so does every ${type} with a resource under its columns, of which nothing is lost that no column replaces`, async (t) => {
    let exported = 0
    fc.assert(fc.property(hostileRows(type), hostileRows(type), changes, fc.boolean(), (row, under, changed, hasColumns) => {
      const { resource, issue } = lineOf(type, { ...under, id: 'under', updated_at: 0n, patient_id: 'p-2', resource: null }, context)
      if (issue !== undefined) return
      const given = change(resource, changed)
      const own = { id: row.id, updated_at: row.updated_at, patient_id: row.patient_id }
      const received = toValid(type, { ...(hasColumns ? row : own), resource: JSON.stringify(given) })
      if (received === undefined) return
      exported++
      if (hasColumns) return
      t.strictSame(received, withOwn(received as Values, { resourceType: type, ...given }))
    }), { numRuns: runs })
    t.not(exported, 0, `${exported} of ${runs} rows were exported`)
  })
}

const folder = `${import.meta.dirname}/../fixtures/sample-data`
const lines = ['administrative', 'clinical', 'financial', 'definitional']
  .flatMap((name) => readFileSync(`${folder}/${name}.ndjson`, 'utf8').trim().split('\n'))
/** Of some types the judges' own definitions are not those of R4. */
const samples = lines.filter((line) => findStructuralProblems(line).length === 0).map((line): Values => JSON.parse(line))

t.test('whatever is put into a resource of any type, it is valid and comes back as it is, or is refused without being shown', async (t) => {
  t.ok(samples.length > 50, `${samples.length} of ${lines.length} samples`)
  let exported = 0
  fc.assert(fc.property(fc.constantFrom(...samples), changes, (sample, changed) => {
    const type = String(sample.resourceType)
    const given = change(sample, changed) as Values
    const checked = checkResource(Buffer.from(JSON.stringify(given)))
    if (!checked.isValid && JSON.stringify(checked).includes(mark)) throw new Error(`shows content: ${JSON.stringify(checked)}`)
    const received = toValid(type, { resource: JSON.stringify(given) })
    t.equal(received !== undefined, checked.isValid && checked.type === type, 'load takes what an export can write')
    if (received === undefined) return
    exported++
    t.strictSame(received, withOwn(received as Values, given))
  }), { numRuns: 4 * runs })
  t.not(exported, 0, `${exported} of ${4 * runs} were exported`)
})
