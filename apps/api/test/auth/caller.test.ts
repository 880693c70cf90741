import { resourceTypes } from '@fhir-bulk-export/core/r4'
import t from 'tap'
import { toCaller } from '../../src/auth/caller.ts'

const options = { publicUrl: 'https://fhir.example.org', subIsPatient: false }

t.test('the roles are the union of role and roles, in any case; ADMIN wins', async (t) => {
  for (const claims of [
    { role: 'ADMIN' }, { role: 'admin' }, { roles: ['Admin'] }, { roles: 'ADMIN' }, { role: ['ADMIN'] },
    { role: 'PATIENT', roles: ['ADMIN'] },
    { role: 'nurse', roles: ['x', 'ADMIN'] }, { role: 'ADMIN', patient_id: 'not/usable' },
  ]) {
    t.match(toCaller(claims, options), { role: 'ADMIN', patientId: null }, JSON.stringify(claims))
  }
  for (const claims of [{ role: 'patient', patient_id: 'p' }, { role: 'nurse', roles: ['PATIENT'], patient_id: 'p' }]) {
    t.match(toCaller(claims, options), { role: 'PATIENT', patientId: 'p' }, JSON.stringify(claims))
  }
})

t.test('a token without a role of ours may nothing', async (t) => {
  for (const claims of [
    {}, { role: 'NURSE' }, { role: '' }, { role: null }, { role: 1 }, { role: { admin: true } }, { roles: [] }, { roles: [['ADMIN']] },
    { role: 'ADMIN,PATIENT' }, { role: ' ADMIN' }, { role: 'adm\u0131n' }, { roles: ['ADM\u0130N'] },
    { role: '\uff21\uff24\uff2d\uff29\uff2e' }, { role: 'ADMIN\n' }, { role: 'pat\u0131ent' }, { role: 'NURSE', scope: 'system/*.read' },
    { role: '', scope: 'system/*.read' }, { roles: [0], scope: 'system/*.read' },
  ]) {
    t.throws(() => toCaller({ patient_id: 'p', ...claims }, options), { code: 'FORBIDDEN' }, JSON.stringify(claims))
  }
})

t.test('the patient is patient_id, else patient, else fhirUser, else (if allowed) sub', async (t) => {
  const cases: Array<[object, string]> = [
    [{ patient_id: 'a', patient: 'b', fhirUser: 'Patient/c' }, 'a'],
    [{ patient: 'b', fhirUser: 'Patient/c', sub: 'd' }, 'b'],
    [{ patient_id: null, patient: 'b' }, 'b'],
    [{ fhirUser: 'Patient/c' }, 'c'],
    [{ fhirUser: 'https://fhir.example.org/fhir/r4/Patient/c' }, 'c'],
    [{ patient_id: `${'x'.repeat(60)}.-9Z` }, `${'x'.repeat(60)}.-9Z`],
  ]
  for (const [claims, patientId] of cases) {
    t.equal(toCaller({ role: 'PATIENT', ...claims }, options).patientId, patientId, JSON.stringify(claims))
  }
  t.equal(toCaller({ role: 'PATIENT', sub: 'd' }, { ...options, subIsPatient: true }).patientId, 'd')
})

t.test('a PATIENT without a usable id is refused, and no claim of lower rank helps out', async (t) => {
  for (const claims of [
    {}, { sub: 'd' }, { patient_id: '' }, { patient_id: '', patient: 'b' }, { patient_id: 'a/b', patient: 'b' },
    { patient_id: 7, patient: 'b' },
    { patient_id: ['a'] }, { patient_id: 'a b' }, { patient_id: 'x'.repeat(65) }, { patient_id: 'a\n' }, { patient_id: '*' },
    { patient_id: 'ä' },
    { fhirUser: 'Practitioner/c' }, { fhirUser: 'c' }, { fhirUser: 'Patient/' }, { fhirUser: 'Patient/c/_history/1' }, { fhirUser: {} },
    { fhirUser: 'https://other.example.org/fhir/r4/Patient/c' }, { fhirUser: 'https://fhir.example.org.evil/fhir/r4/Patient/c' },
    { fhirUser: '/Patient/c' },
  ]) {
    t.throws(() => toCaller({ role: 'PATIENT', ...claims }, options), { code: 'FORBIDDEN', message: /patient id/ }, JSON.stringify(claims))
  }
  for (const claims of [{ sub: '' }, { fhirUser: 'Practitioner/c', sub: 'd' }, { patient_id: '', sub: 'd' }]) {
    t.throws(
      () => toCaller({ role: 'PATIENT', ...claims }, { ...options, subIsPatient: true }), { code: 'FORBIDDEN' }, JSON.stringify(claims)
    )
  }
})

t.test('claims that cannot be read are no authentication', async (t) => {
  for (const claims of [
    null, 'text', 7, [], { role: 'ADMIN', iss: 7 }, { role: 'ADMIN', sub: { a: 1 } }, { role: 'ADMIN', scope: 7 },
    { role: 'ADMIN', scope: [7] }, { role: 'ADMIN', scp: {} }, { role: 'ADMIN', client_id: 7 },
  ]) {
    t.throws(() => toCaller(claims, options), { code: 'UNAUTHORIZED' }, JSON.stringify(claims))
  }
})

t.test('the requester is stable for a caller, different for any other, and tells nothing', async (t) => {
  const requesters = [
    { role: 'ADMIN', sub: 'a', iss: 'i' }, { role: 'ADMIN', sub: 'b', iss: 'i' }, { role: 'ADMIN', sub: 'a', iss: 'j' },
    { role: 'ADMIN', sub: 'a' },
    { role: 'PATIENT', patient_id: 'a', iss: 'i' }, { role: 'PATIENT', patient_id: 'b', iss: 'i' },
    { role: 'ADMIN', sub: 'i', iss: 'a' },
    { role: 'ADMIN', iss: 'i' }, { role: 'ADMIN', iss: 'i', client_id: 'a' }, { role: 'ADMIN', iss: 'i', client_id: 'b' },
    { role: 'ADMIN', iss: 'i', azp: 'c' }, { role: 'ADMIN', iss: 'i', sub: '' },
  ].map((claims) => toCaller(claims, options).requester)
  t.equal(new Set(requesters).size, requesters.length)
  for (const requester of requesters) t.match(requester, /^[0-9a-f]{64}$/)
  const once = toCaller({ role: 'PATIENT', patient_id: 'a', iss: 'i', sub: 'x', jti: '1' }, options)
  const again = toCaller({ roles: ['patient'], fhirUser: 'Patient/a', iss: 'i', sub: 'y', jti: '2' }, options)
  t.equal(once.requester, again.requester)
})

const all = resourceTypes
const typesOf = (claims: object) => {
  const { role, types } = toCaller(claims, options)
  return { role, types: types === null ? null : [...types].sort() }
}

t.test('without a role, system scopes that read make an ADMIN and patient scopes with a patient a PATIENT, of their types', async (t) => {
  for (const [claims, role, types] of [
    [{ scope: 'system/*.read' }, 'ADMIN', all],
    [{ scp: ['system/Patient.rs', 'system/Consent.read'] }, 'ADMIN', ['Consent', 'Patient']],
    [{ scope: 'system/Patient.rs patient/*.rs', patient: 'p' }, 'ADMIN', ['Patient']],
    [{ scope: 'system/Patient.rs', role: null, roles: [] }, 'ADMIN', ['Patient']],
    [{ scope: 'launch/patient patient/Patient.read patient/Consent.rs', patient: 'p' }, 'PATIENT', ['Consent', 'Patient']],
    [{ scope: 'patient/*.rs', fhirUser: 'Patient/p' }, 'PATIENT', all],
    [{ scope: 'system/*.write patient/Patient.rs', patient: 'p' }, 'PATIENT', ['Patient']],
    [{ scope: 'patient/Patient.rs user/*.rs', patient: 'p' }, 'PATIENT', ['Patient']],
  ] as const) {
    t.strictSame(typesOf(claims), { role, types: [...types].sort() }, JSON.stringify(claims))
  }
  for (const claims of [
    { scope: 'system/*.write' }, { scope: 'system/*.r' }, { scope: 'system/Lab.rs' }, { scope: 'patient/*.rs' },
    { scope: 'patient/*.rs', patient: 'a/b' },
    { scope: 'user/*.rs', patient: 'p' }, { scope: 'openid', patient: 'p' }, { scope: '', patient: 'p' }, { scope: 'system/*.rs?_id=1' },
  ]) {
    t.throws(() => toCaller(claims, options), { code: 'FORBIDDEN' }, JSON.stringify(claims))
  }
})

t.test('beside a role, scopes narrow the types and nothing else; without resource scopes there is no limit', async (t) => {
  for (const [claims, role, types] of [
    [{ role: 'ADMIN' }, 'ADMIN', null],
    [{ role: 'ADMIN', scope: 'openid profile launch/patient' }, 'ADMIN', null],
    [{ role: 'ADMIN', scope: 'system/Patient.rs system.Consent.read email' }, 'ADMIN', ['Patient']],
    [{ role: 'ADMIN', scope: '', scp: null }, 'ADMIN', null],
    [{ role: 'ADMIN', scope: 'system/Patient.rs' }, 'ADMIN', ['Patient']],
    [{ role: 'ADMIN', scope: 'user/Patient.rs system/Consent.rs patient/Provenance.rs' }, 'ADMIN', ['Consent', 'Patient']],
    [{ role: 'PATIENT', patient: 'p' }, 'PATIENT', null],
    [{ role: 'PATIENT', patient: 'p', scope: 'patient/Patient.rs' }, 'PATIENT', ['Patient']],
    [{ role: 'PATIENT', patient: 'p', scope: 'system/Patient.rs user/Consent.rs' }, 'PATIENT', ['Consent', 'Patient']],
  ] as const) {
    t.strictSame(typesOf(claims), { role, types: types === null ? null : [...types].sort() }, JSON.stringify(claims))
  }
  for (const claims of [
    ...[
      'system.Patient.read', 'System/Patient.read', 'https://issuer.example.org/system/Patient.read', 'openid email', 'openid nonsense',
      'system/Patient.Read',
    ].map((scope) => ({ role: 'ADMIN', scope })),
    { role: 'ADMIN', scp: ['system.Patient.read'] }, { role: 'PATIENT', patient: 'p', scope: 'patient.Patient.read' },
    { role: 'ADMIN', scope: 'patient/*.rs' }, { role: 'ADMIN', scope: 'system/*.write' }, { role: 'ADMIN', scope: 'system/Lab.rs' },
    { role: 'ADMIN', scope: 'system/nonsense' },
    { role: 'PATIENT', patient: 'p', scope: 'patient/Patient.cud' }, { role: 'ADMIN', scope: 'system/Patient.rs?_id=1' },
  ]) {
    t.throws(() => toCaller(claims, options), { code: 'FORBIDDEN', message: /scope/ }, JSON.stringify(claims))
  }
})

t.test('a name that no row can hold is no name', async (t) => {
  for (const claim of ['iss', 'sub', 'client_id', 'azp']) {
    t.throws(() => toCaller({ role: 'ADMIN', [claim]: 'a\0b' }, options), { code: 'UNAUTHORIZED' }, claim)
    t.equal(toCaller({ role: 'ADMIN', [claim]: 'a\n\u00e9' }, options).role, 'ADMIN', claim)
  }
})
