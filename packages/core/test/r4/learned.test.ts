import { generate } from '@fhir-bulk-export/stack/generate'
import fc from 'fast-check'
import t from 'tap'
import { checkResource } from '../../src/r4/index.ts'
import { lineOf, relationOf, type Values } from '../fixtures/lines.ts'
import { hostileRows } from '../fixtures/hostile-rows.ts'
import { spellings } from '../fixtures/spellings.ts'
import { unlearn } from '../fixtures/unlearn.ts'

/*
 * What was copied once is remembered: values, shapes of objects, what follows an element. Nothing may come out otherwise than without it.
 */

const runs = Number(process.env.FUZZ_RUNS ?? 600)

function check (bytes: Buffer): string {
  const checked = checkResource(bytes)
  return checked.isValid ? checked.json.toString() : `${checked.path} ${checked.problem}`
}

/** Each by itself, and all of them one after another, twice. Gives back how many were good. */
function compare<T> (things: readonly T[], copy: (thing: T) => string): number {
  const alone = things.map((thing) => {
    unlearn()
    return copy(thing)
  })
  unlearn()
  for (const round of [1, 2]) {
    for (const [i, thing] of things.entries()) {
      const told = copy(thing)
      if (told !== alone[i]) throw new Error(`round ${round}\n${told}\n${alone[i]}`)
    }
  }
  return alone.filter((line) => line.startsWith('{')).length
}

const resources = [...generate({ patients: 20, seed: 5 })].flatMap((generated) => 'resource' in generated ? [generated.resource] : [])
const place = fc.double({ min: 0, max: 0.999, noNaN: true })
const cut = fc.record({
  place, length: fc.constantFrom(0, 0, 1, 1, 5, 30),
  thing: fc.constantFrom('{', '}', '[', ']', '"', ',', ':', ' ', '\n', 'null', '""', '{}', '[]', 'a', '\\',
    '"id":"x",', ',"text":""', '7', 'e'),
})

function cutAt (bytes: Buffer, cuts: Array<{ place: number, length: number, thing: string }>): Buffer {
  for (const { place, length, thing } of cuts) {
    const at = Math.floor(place * bytes.length)
    bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(thing), bytes.subarray(at + length)])
  }
  return bytes
}

t.test('resources, however they are spelled and whatever is changed in them', async (t) => {
  let valid = 0
  const resource = fc.tuple(fc.constantFrom(...resources), fc.constantFrom(...spellings), fc.array(cut, { maxLength: 2 }))
    .map(([value, spell, cuts]) => cutAt(Buffer.from(spell(value)), cuts))
  fc.assert(fc.property(fc.array(resource, { minLength: 1, maxLength: 8 }), (some) => {
    valid += compare(some, check)
  }), { numRuns: runs / 20 })
  t.not(valid, 0, `${valid} were valid`)
})

for (const type of ['Patient', 'DocumentReference', 'Consent', 'Provenance', 'Group']) {
  t.test(`rows of ${type}, with and without a resource, with other columns each time`, async (t) => {
    let valid = 0
    const row = fc.record({ row: hostileRows(type), under: fc.option(hostileRows(type)), spell: fc.constantFrom(...spellings) })
      .map(({ row, under, spell }): Values => {
        const { resource } = under === null ? {} : lineOf(type, { ...under, resource: null })
        return { ...row, resource: resource === undefined ? null : spell(resource) }
      })
    const relation = relationOf(type)
    relation.columns.resource = 'json'
    const contexts = fc.constantFrom({}, {
      attachmentBaseUrls: ['https://files.example.org/'], elements: ['status', 'identifier', 'content'],
    })
    fc.assert(fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), contexts, (rows, context) => {
      valid += compare(rows, (values) => {
        const { line, issue, warnings } = lineOf(type, values, context, relation)
        return `${line}${JSON.stringify([issue, warnings])}`
      })
    }), { numRuns: runs / 50 })
    t.not(valid, 0, `${valid} lines`)
  })
}

const patient = (name: string) => Buffer.from(`{"resourceType":"Patient","name":[${name}]}`)

t.test('what is like something good in all but one place', async (t) => {
  const good = ['{"family":"A","given":["B"]}', '{"family": "A", "given": ["B", null], "_given": [null, {"id": "x"}]}',
    '{"id":"x","family":"A"}',
    '{ "family" : "A" }', '{"period":{"start":"2020"},"family":"A"}', '{"family":"A","extension":[{"url":"u","valueString":"v"}]}']
  const bad = ['{"family":"A","family":"B"}',
    '{"family":"A","given":["B",null]}', '{"id":"x"}', '{"family":"A"', '{"family":"A","given":[]}',
    '{"family":"A","given":["B"],"_given":[null,{"id":"x"}]}{', '{"family":""}', '{"family":null}', '{"family" "A"}', '{,"family":"A"}',
    '{"family":"A",}', '{"family":"A","extension":[{"url":"u","valueString":"v","valueCode":"c"}]}',
    '{"period":{"start":"2020-13"},"family":"A"}',
    '{"period":{},"family":"A"}', '{"extension":[{"valueString":"v"}]}', '{"family":"A\\u0000"}', '{"family":"A\n"}']
  const all = [...good, ...bad, ...good, ...bad.toReversed(), ...good].map(patient)
  t.equal(compare(all, check), 3 * good.length)
})

t.test('a contained resource is of the type that it names, wherever it does', async (t) => {
  const contained = (json: string) => Buffer.from(`{"resourceType":"Patient","contained":[${json}]}`)
  const all = ['{"id":"a","status":"active","resourceType":"Medication"}', '{"id":"a","status":"final","resourceType":"Medication"}',
    '{"id":"a","status":"final","resourceType":"DiagnosticReport","code":{"text":"x"}}',
    '{"id":"a","resourceType":"Patient","status":"active"}',
    '{"resourceType":"Medication","status":"active"}', '{"resourceType":"Organization","name":"x"}',
    '{"id":"a","status":"active"}'].map(contained)
  t.equal(compare([...all, ...all], check), 8)
})

t.test('objects within objects are refused at the same depth', async (t) => {
  const nest = (depth: number) => '{"extension":['.repeat(depth) + '{"url":"u","valueString":"v"}' + '],"url":"u"}'.repeat(depth)
  const all = (...depths: number[]) => depths.map((depth) => Buffer.from(`{"resourceType":"Patient","extension":[${nest(depth)}]}`))
  t.equal(compare(all(3, 60, 120, 190, 196, 197, 198, 199, 200, 201, 250, 190, 60), check), 9)
  t.equal(compare(all(40, 199, 200), check), 1)
})

t.test('more shapes than are kept', async (t) => {
  const names = ['use', 'text', 'family', 'given', 'prefix', 'suffix', 'id', 'period', 'extension']
  const values = ['"usual"', '"t"', '"f"', '["g","h"]', '["p"]', '["s"]', '"i"', '{"end":"2020"}', '[{"url":"u","valueInteger":1}]']
  const all = Array.from({ length: 4_000 }, (_, n) => {
    const order = names.map((name, i) => ({ name, value: values[i], rank: (n * (2 * i + 7) * 2_654_435_761 + i * 977) % 1_013 }))
      .filter(({ rank }) => rank % 3 !== 0).sort((a, b) => a.rank - b.rank)
    return `{${' '.repeat(n % 3)}${order.map(({ name, value }) => `"${name}":${value}`).join(',')}}`
  }).filter((json) => json.includes('":') && !/^\{ *"id":"i"\}$/.test(json)).map(patient)
  unlearn()
  const wrong = [...all, ...all, ...all].filter((bytes) => check(bytes) !== bytes.toString().replace(/ /g, ''))
  t.strictSame([wrong.length, all.length > 3_000], [0, true])
})
