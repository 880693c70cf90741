import t from 'tap'
import { startApi } from '../../fixtures/api.ts'
import { admin, complete, filePath, kickOff, patient, statusPath } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const file = { name: 'Patient.1.ndjson', type: 'Patient', body: '{"resourceType":"Patient"}\n' }

t.test('who may see, download and delete whose export', async (t) => {
  const api = await startApi(t, { environment: { JWT_SUB_IS_PATIENT: 'true' } })
  const { iss } = patient
  for (const [starter, asker, allowed] of [
    [admin, admin, true],
    [admin, { role: 'ADMIN', sub: 'another admin of another issuer', iss: 'https://other.example.org' }, true],
    [patient, admin, true],
    [patient, patient, true],
    [patient, { role: 'PATIENT', patient: 'pat-1', sub: 'another login', iss }, true],
    [patient, { role: 'PATIENT', sub: 'pat-1', iss }, true],
    [patient, { ...patient, roles: ['admin'] }, true],
    [patient, { ...patient, patient_id: 'pat-2' }, false],
    [patient, { ...patient, patient_id: 'PAT-1' }, false],
    [patient, { ...patient, iss: 'https://other.example.org' }, false],
    [patient, { ...patient, iss: undefined }, false],
    [patient, { role: 'CLINICIAN', patient_id: 'pat-1', iss }, false],
    [patient, { patient_id: 'pat-1', iss }, false],
    [admin, patient, false],
    // An ADMIN who has become a PATIENT loses what the ADMIN started.
    [{ ...admin, patient_id: 'pat-1' }, { ...admin, role: 'PATIENT', patient_id: 'pat-1' }, false],
  ] as const) {
    const id = await kickOff(api, { claims: starter })
    await complete(api, id, [file])
    for (const [method, url, success] of [
      ['GET', statusPath(id), 200],
      ['HEAD', statusPath(id), 200],
      ['GET', filePath(id, file.name), 200],
      ['HEAD', filePath(id, file.name), 200],
      ['DELETE', statusPath(id), 204],
    ] as const) {
      const response = await api.app.inject({ method, url, headers: bearer(asker) })
      t.equal(response.statusCode, allowed ? success : 403, `${method} of ${JSON.stringify(starter)} by ${JSON.stringify(asker)}`)
      if (!allowed && method !== 'HEAD') {
        t.match(response.json(), { issue: [{ code: 'forbidden', details: { coding: [{ code: 'forbidden' }] } }] })
      }
    }
  }
})
