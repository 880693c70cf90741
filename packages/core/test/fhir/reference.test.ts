import t from 'tap'
import type { Reference } from 'fhir/r4.js'
import { ElementError } from '../../src/fhir/index.ts'
import { toHeldReference } from '../../src/fhir/reference.ts'

const npi = 'http://hl7.org/fhir/sid/us-npi'
const held: Array<[Reference, Reference]> = [
  // literal: what an export holds
  [{ reference: 'Patient/1' }, { reference: 'Patient/1' }],
  [{ reference: 'Group/g-1', type: 'Group', display: 'G' }, { reference: 'Group/g-1', type: 'Group', display: 'G' }],
  [{ reference: 'Consent/1/_history/3', display: 'C' }, { reference: 'Consent/1', display: 'C' }],
  // relative, to anything else
  [{ reference: 'Encounter/123', display: 'E' }, { type: 'Encounter', identifier: { value: '123' }, display: 'E' }],
  [{ reference: 'Encounter/123/_history/1' }, { type: 'Encounter', identifier: { value: '123' } }],
  [{ reference: 'Encounter/123', identifier: { system: 'x', value: 'y' } }, { type: 'Encounter', identifier: { system: 'x', value: 'y' } }],
  // conditional
  [{ reference: `Practitioner?identifier=${npi}|99`, display: 'Dr' }, { type: 'Practitioner', identifier: { system: npi, value: '99' }, display: 'Dr' }],
  [{ reference: `Practitioner?identifier=${encodeURIComponent(npi)}%7C99` }, { type: 'Practitioner', identifier: { system: npi, value: '99' } }],
  [{ reference: 'Patient?identifier=|99' }, { type: 'Patient', identifier: { value: '99' } }],
  [{ reference: 'Patient?identifier=99' }, { type: 'Patient', identifier: { value: '99' } }],
  [{ reference: 'Patient?identifier=urn:x|' }, { type: 'Patient', identifier: { system: 'urn:x' } }],
  [{ reference: 'Patient?identifier=urn:x|a\\|b' }, { type: 'Patient', identifier: { system: 'urn:x', value: 'a|b' } }],
  [{ reference: 'Patient?identifier=urn:x|100%' }, { type: 'Patient', identifier: { system: 'urn:x', value: '100%' } }],
  // absolute
  [{ reference: 'https://e.org/fhir/Patient/1' }, { type: 'Patient', identifier: { system: 'urn:ietf:rfc:3986', value: 'https://e.org/fhir/Patient/1' } }],
  [{ reference: 'https://e.org/x/Foo/1' }, { identifier: { system: 'urn:ietf:rfc:3986', value: 'https://e.org/x/Foo/1' } }],
  [{ reference: 'urn:uuid:1', type: 'Device' }, { type: 'Device', identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:1' } }],
  // nothing to follow
  [{ display: 'Dr' }, { display: 'Dr' }],
  [{ identifier: { value: '1' }, type: 'Device' }, { identifier: { value: '1' }, type: 'Device' }],
]

t.test('a reference is literal only to what an export holds, else a logical one', async t => {
  for (const [given, expected] of held) t.strictSame(toHeldReference(given), expected, given.reference ?? 'none')
})

t.test('what is held already stays as it is', async t => {
  for (const [, expected] of held) t.equal(toHeldReference(expected), expected)
})

t.test('what cannot be a reference is an error that does not show it', async t => {
  for (const reference of [
    '#p1', 'Patient', 'Patient/', 'Patient/a b', '/Patient/1', 'Foo/1', 'patient/1', 'Patient/1/name', 'Patient?name=x', 'Patient?identifier=',
    'Patient?identifier=a|b&x=y', 'Patient?identifier=a b|c', 'Patient?identifier=a|%00', 'Patient?identifier=|', 'what is this', '../Patient/1', ':x',
  ]) {
    t.throws(() => toHeldReference({ reference }), ElementError, reference)
  }
  t.throws(() => toHeldReference({ reference: 'Patient/1', type: 'Group' }), ElementError)
})
