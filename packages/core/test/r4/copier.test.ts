import t from 'tap'
import fc from 'fast-check'
import { checkResource, resourceTypes } from '../../src/r4/index.ts'

const check = (json: string) => checkResource(Buffer.from(json))

function same (json: string, compact = json): void {
  const checked = check(json)
  t.ok(checked.isValid, json)
  if (checked.isValid) t.equal(checked.json.toString(), compact)
}

function refused (json: string, path: string, problem: string): void {
  t.match(check(json), { isValid: false, path, problem }, json.slice(0, 100))
}

t.test('what is valid comes out byte for byte, but for blanks between values', async () => {
  same('{"resourceType":"Patient","id":"p"}')
  same(' { "id" : "p" ,\n"name":[ { "given" : [ "A" , "B" ] } ],\t"resourceType":"Patient" }\r\n',
    '{"id":"p","name":[{"given":["A","B"]}],"resourceType":"Patient"}')
  same('{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":10.00}}')
})

t.test('an extension is content as well as a value', async () => {
  const absent = '{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}'
  same(`{"resourceType":"Observation","_status":${absent},"code":${absent}}`)
  same(`{"resourceType":"Patient","telecom":[{"_system":${absent},"value":"1"}],"_birthDate":${absent},"birthDate":"2000"}`)
  same(`{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,${absent}]}]}`)
  same(`{"resourceType":"Patient","name":[{"given":[null,null],"_given":[${absent},{"id":"x"}]}]}`)
  same('{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[null,null]}]}')
  same(`{"resourceType":"Patient","_deceasedBoolean":${absent}}`)
  same(`{"resourceType":"Patient","deceasedBoolean":true,"_deceasedBoolean":${absent}}`)
})

t.test('an element has content besides its id, and nothing is empty', async () => {
  refused('{"resourceType":"Patient","name":[{"id":"x"}]}', 'name[0]', 'must have content besides its id')
  refused('{"resourceType":"Patient","name":[{}]}', 'name[0]', 'must not be empty')
  refused('{"resourceType":"Patient","name":[]}', 'name', 'must not be empty')
  refused('{"resourceType":"Patient","name":null}', 'name', 'must be an array')
  refused('{"resourceType":"Patient","gender":null}', 'gender', 'must be a string')
  refused('{"resourceType":"Patient","_birthDate":{}}', '_birthDate', 'must not be empty')
  refused('{"resourceType":"Patient","name":[null]}', 'name[0]', 'must be an object')
})

t.test('null holds the place of an extension, and of nothing else', async () => {
  refused('{"resourceType":"Patient","name":[{"given":["A",null]}]}', 'name[0].given[1]', 'must not be null without an extension')
  refused('{"resourceType":"Patient","name":[{"given":[null,"A"],"_given":[null,{"id":"x"}]}]}', 'name[0].given[0]',
    'must not be null without an extension')
  refused('{"resourceType":"Patient","name":[{"given":[null],"_given":[null]}]}', 'name[0].given[0]',
    'must not be null without an extension')
  refused('{"resourceType":"Patient","name":[{"_given":[null]}]}', 'name[0]._given', 'must not be empty')
  refused('{"resourceType":"Patient","name":[{"given":[null]}]}', 'name[0].given[0]', 'must not be null without an extension')
})

t.test('cardinality, choices, names and required codes are the table\'s', async () => {
  refused('{"resourceType":"Observation","code":{"text":"x"}}', 'status', 'is required')
  refused('{"resourceType":"Observation","status":"final"}', 'code', 'is required')
  refused('{"resourceType":"Observation","status":"done","code":{"text":"x"}}', 'status', 'must be one of registered')
  refused('{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueString":"a","valueInteger":1}', 'value[x]',
    'must stand only once')
  refused('{"resourceType":"Observation","status":"final","code":[{"text":"x"}]}', 'code', 'must be an object')
  refused('{"resourceType":"Observation","status":"final","code":{"text":"x"},"component":[{"valueString":"x"}]}', 'component[0].code',
    'is required')
  refused('{"resourceType":"Patient","value":1}', 'value', 'is not an element of its type')
  refused('{"resourceType":"Patient","Nonsense of somebody":1}', '?', 'is not an element of its type')
  refused('{"resourceType":"Patient","gender":"male","gender":"male"}', 'gender', 'stands twice')
  refused('{"resourceType":"Patient","contained":[{"resourceType":"Group","resourceType":"Group"}]}', 'contained[0].resourceType',
    'stands twice')
  refused('{"resourceType":"Patient","extension":[{"valueString":"x"}]}', 'extension[0].url', 'is required')
  refused('{"resourceType":"Patient","name":{"family":"x"}}', 'name', 'must be an array')
  refused('{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"display":"x"}}', 'medication', 'is required')
})

t.test('resources inside of resources are checked as what they are', async () => {
  same('{"resourceType":"Patient","contained":[{"id":"a","name":"N","resourceType":"Organization"}],' +
    '"managingOrganization":{"reference":"#a"}}')
  same('{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"id":"{\\"resourceType","resourceType":"Patient"}}]}'.replace(
    '"id":"{\\"resourceType",', ''
  ))
  refused('{"resourceType":"Patient","contained":[{"resourceType":"Observation","status":"final"}]}', 'contained[0].code', 'is required')
  refused('{"resourceType":"Patient","contained":[{"id":"a"}]}', 'contained[0].resourceType', 'is required')
  refused('{"resourceType":"Patient","contained":[{"resourceType":"Element"}]}', 'contained[0].resourceType', 'is not a resource type')
  refused('{"resourceType":"Patient","contained":[{"meta":{"resourceType":"Patient"}}]}', 'contained[0].resourceType', 'is required')
  refused('{"id":"x"}', 'resourceType', 'is required')
  refused('{"resourceType":"patient"}', 'resourceType', 'is not a resource type')
})

t.test('recursion ends', async () => {
  const nest = (depth: number): string =>
    depth === 0 ? '{"linkId":"0","type":"group"}' : `{"linkId":"${depth}","type":"group","item":[${nest(depth - 1)}]}`
  same(`{"resourceType":"Questionnaire","status":"draft","item":[${nest(150)}]}`)
  t.match(check(`{"resourceType":"Questionnaire","status":"draft","item":[${nest(1000)}]}`),
    { isValid: false, problem: 'is nested too deeply' })
})

t.test('what is no JSON is refused wherever it ends', async (t) => {
  const json =
    '{"resourceType":"Patient","id":"p","active":true,"name":[{"given":["A\\n\\u00e4","B"],"_given":[null,{"id":"x"}]}],' +
      '"multipleBirthInteger":12,"extension":[{"url":"u","valueDecimal":-1.50e3}]}'
  t.ok(check(json).isValid)
  for (let length = 0; length < json.length; length++) t.notOk(check(json.slice(0, length)).isValid, `${length} bytes`)
  for (const rest of ['x', '{}', ',', ']']) t.notOk(check(json + rest).isValid)
})

const runs = Number(process.env.FUZZ_RUNS ?? 2_000)

t.test('whatever is changed in it, JSON that comes out says what went in', async () => {
  const json = Buffer.from(
    '{"resourceType": "Patient", "id": "p-1", "active": true, "name": [{"given": ["A\\n\\u00e4", null], "_given": [null, {"id": "x"}]}],' +
      ' "multipleBirthInteger": 12, "contained": [{"resourceType": "Basic", "code": {"text": "x"}}], "extension": [{"url": "u", ' +
      '"valueDecimal": -1.50e3}]}'
  )
  const change = fc.record({
    at: fc.nat(json.length - 1), byte: fc.constantFrom(...Buffer.from('{}[]",:\\nul0123.-eEtruf \n\u0001azAZ_')),
    length: fc.constantFrom(0, 1, 1, 1, 5)
  })
  let valid = 0
  fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
    let bytes = json
    for (const { at, byte, length } of changes) {
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]),
        bytes.subarray(at + length)])
    }
    const checked = checkResource(bytes)
    if (!checked.isValid) return
    valid++
    // JSON.parse throws for what is no JSON.
    if (JSON.stringify(JSON.parse(bytes.toString())) !== JSON.stringify(JSON.parse(checked.json.toString()))) {
      throw new Error(checked.json.toString())
    }
  }), { numRuns: runs })
  t.not(valid, 0, `${valid} of ${runs} were still valid`)
})

t.test('every resource type of R4 is known', async (t) => {
  t.equal(resourceTypes.length, 146)
  for (const type of resourceTypes) t.type(check(`{"resourceType":"${type}"}`).isValid, 'boolean', type)
})
