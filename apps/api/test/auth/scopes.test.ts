import { resourceTypes } from '@fhir-bulk-export/core/r4'
import t from 'tap'
import { toScopedTypes } from '../../src/auth/scopes.ts'

const all = resourceTypes

t.test('what scopes of both versions let a token read', async (t) => {
  for (const [scope, system] of [
    ['system/*.read', all],
    ['system/*.*', all],
    ['system/*.rs', all],
    ['system/*.cruds', all],
    ['system/Patient.read', ['Patient']],
    ['system/Patient.rs system/Consent.read', ['Patient', 'Consent']],
    ['system/Provenance.rs  system/Patient.read', ['Provenance', 'Patient']],
    ['system/Group.read system/Patient.rs', ['Group', 'Patient']],
    ['system/Observation.rs', ['Observation']],
    ['system/VisionPrescription.read', ['VisionPrescription']],
    ['system/Patient.r system/Patient.s', ['Patient']],
    ['system/*.r system/Consent.s', ['Consent']],
    ['system/Patient.r system/Consent.s', []],
    ['system/Patient.r', []],
    ['system/Patient.s', []],
    ['system/Patient.write', []],
    ['system/*.cud', []],
    ['system/Observations.rs', []],
    ['system/DomainResource.rs', []],
    ['system/Patient.rs system.Consent.read', ['Patient']],
    ['openid system/Patient.rs fhirUser launch/patient', ['Patient']],
  ] as const) {
    const { readable, isLimited } = toScopedTypes(scope)
    t.strictSame([...readable.keys()], ['system'], scope)
    t.strictSame([...readable.get('system') ?? []], system, scope)
    t.equal(isLimited, true)
  }
})

t.test('scope and scp, as text or list', async (t) => {
  for (const claims of [
    ['patient/Patient.rs system/Consent.rs'], [['patient/Patient.rs', 'system/Consent.rs']], [['patient/Patient.rs system/Consent.rs']],
    ['patient/Patient.rs', 'system/Consent.rs'], [undefined, ['patient/Patient.rs', 'system/Consent.rs']],
    [null, ' patient/Patient.rs\nsystem/Consent.rs '],
  ]) {
    const { readable } = toScopedTypes(...claims)
    t.strictSame([...readable.get('patient') ?? []], ['Patient'])
    t.strictSame([...readable.get('system') ?? []], ['Consent'])
    t.notOk(readable.has('user'))
  }
})

t.test('what is about no resource says nothing', async (t) => {
  for (const claims of [
    [], [undefined], [null], [''], [[]], ['  '], ['openid profile fhirUser launch launch/patient offline_access online_access'],
  ]) {
    const { readable, isLimited } = toScopedTypes(...claims)
    t.equal(readable.size, 0, JSON.stringify(claims))
    t.equal(isLimited, false, JSON.stringify(claims))
  }
})

t.test('what is malformed or unknown gives nothing, and limits', async (t) => {
  for (const scope of [
    'system', 'xsystem/*.rs', 'System/*.rs', 'SYSTEM/Patient.read', 'admin/*.rs', 'system.Patient.read', 'system.Patient.rs',
    'https://issuer.example.org/system/Patient.read',
    'api://x/system/*.read', 'system/patient.rs', 'system/Patient.sr', 'system/Patient.READ', 'system/Patient.Read', 'system/Patient',
    'system/Patient.', 'system/', 'system/.rs',
    'system/Patient.rs.x', 'system/Patient:read', 'system\\Patient.read', 'system/Patient.rs\u00a0', 'system/Patient.rs,system/Consent.rs',
    'system/**.rs', 'OpenID', 'openid,profile',
    'launcher', 'email', 'read', '*', 'sy\u017ftem/*.read', 'system/Patient.r\u017f',
  ]) {
    const { readable, isLimited } = toScopedTypes(`openid ${scope}`)
    t.strictSame([...readable.values()].flatMap((types) => [...types]), [], scope)
    t.equal(isLimited, true, scope)
  }
})

t.test('a scope that is narrowed by a search is refused by its name, and what it searches for is not repeated', async (t) => {
  for (const [scope, name] of [
    ['system/DocumentReference.rs?category=clinical-note', 'system/DocumentReference.rs?…'],
    ['system/*.rs patient/Consent.rs?status=active', 'patient/Consent.rs?…'],
    ['user/*.cruds?_id=secret', 'user/*.cruds?…'],
    ['system/Patient.rs system/Group.rs?identifier=x', 'system/Group.rs?…'],
    ['system/Patient.read?', 'system/Patient.read?…'],
  ] as const) {
    t.throws(
      () => toScopedTypes(scope), { code: 'FORBIDDEN', message: `The scope ${name} is narrowed by a search, which is not supported here` },
      scope
    )
  }
  // Of types that R4 does not have, or to write: nothing of it could be exported with or without the search.
  t.strictSame(
    [...toScopedTypes('system/Lab.rs?category=laboratory system/Patient.rs system/Consent.u?status=active').readable.get('system') ?? []],
    ['Patient']
  )
})
