import t from 'tap'
import { emptyValues, fhirJsProblems, findProblems, medplumProblems } from '../fixtures/validators.ts'

const patient = { resourceType: 'Patient', id: 'p', meta: { lastUpdated: '2024-01-01T00:00:00Z' }, gender: 'male', name: [{ family: 'X' }] }
const consent = { resourceType: 'Consent', status: 'active', scope: { text: 'x' }, category: [{ text: 'x' }], policyRule: { text: 'x' } }

t.test('each judge finds what it is there for, so that their silence means something', async t => {
  t.strictSame(findProblems(patient), [])
  t.strictSame(findProblems(consent), [])

  const byMedplum: Record<string, object> = {
    'an unknown element': { ...patient, foo: 1 },
    'a wrong JSON type': { ...patient, active: 'yes' },
    'no day of the calendar': { ...patient, birthDate: '2023-02-30' },
    'a control character': { ...patient, name: [{ family: 'x\u0001' }] },
    'a blank string': { ...patient, name: [{ family: '  ' }] },
    'a code with spaces around': { ...patient, maritalStatus: { coding: [{ code: ' M ' }] } },
    'a missing element': { ...consent, scope: undefined },
    'a missing element inside': { ...consent, verification: [{ verificationDate: '2024' }] },
    'a contact without content (pat-1)': { ...patient, contact: [{ gender: 'male' }] },
    'a consent without policy (ppc-1)': { ...consent, policyRule: undefined },
  }
  for (const [what, resource] of Object.entries(byMedplum)) t.not(medplumProblems(JSON.parse(JSON.stringify(resource))).length, 0, what)

  const byFhirJs: Record<string, object> = {
    'a gender that is none': { ...patient, gender: 'zzz' },
    'a status that is none': { ...consent, status: 'zzz' },
    'an unknown element': { ...patient, foo: 1 },
    'a missing element': { ...consent, status: undefined },
  }
  for (const [what, resource] of Object.entries(byFhirJs)) t.not(fhirJsProblems(JSON.parse(JSON.stringify(resource))).length, 0, what)

  t.strictSame(emptyValues({ ...patient, a: null, b: [], c: {}, d: '', e: [{ f: [null] }], g: undefined }), [
    '.a: is empty', '.b: is empty', '.c: is empty', '.d: is empty', '.e.0.f.0: is empty', '.g: is empty',
  ])
})
