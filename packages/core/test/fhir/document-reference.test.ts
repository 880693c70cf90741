import t from 'tap'
import { toDocumentReference } from '../../src/fhir/index.ts'
import type { Column } from '../../src/source/relations.ts'
import { assertBadRows, secret, type BadRow } from '../fixtures/bad-rows.ts'
import { contextWith, rowOf } from '../fixtures/rows.ts'
import { findProblems } from '../fixtures/validators.ts'

const content = [{ attachment: { contentType: 'text/plain', data: 'SGVsbG8=' } }]

t.test('a row with what a document needs becomes a DocumentReference', async t => {
  const document = toDocumentReference(rowOf('medical_records', { id: 'd-1', status: 'current', content }), contextWith())
  t.strictSame(document, {
    resourceType: 'DocumentReference',
    id: 'd-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    subject: { reference: 'Patient/p-1' },
    status: 'current',
    content: [{ attachment: { contentType: 'text/plain', data: 'SGVsbG8=' } }],
  })
  t.strictSame(findProblems(document), [])
})

t.test('a full row becomes a full DocumentReference', async t => {
  const document = toDocumentReference(rowOf('medical_records', {
    id: 'd-1',
    master_identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b' },
    identifier: [{ value: '17' }],
    status: 'superseded',
    doc_status: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '34117-2', display: 'History and physical note' }] },
    category: [{ text: 'Clinical Note' }],
    date: '1987-11-19 05:22:16.824+00',
    author: [{ reference: 'Practitioner/9' }, { reference: 'Patient/p-1' }],
    authenticator: { display: 'Dr. Kunze' },
    custodian: { reference: 'https://ehr.example.org/fhir/Organization/3' },
    relates_to: [{ code: 'replaces', target: { reference: 'DocumentReference/d-0' } }],
    description: 'A note\nof two lines',
    security_label: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] }],
    content: [{
      attachment: { contentType: 'application/pdf', url: 'https://files.example.org/a/b.pdf', size: 12, hash: 'SGVsbG8=', title: 'Note', creation: '2020-01-01T01:00:00+02:00' },
      format: { system: 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem', code: 'urn:ihe:pcc:handp:2008' },
    }],
    encounter: [{ reference: 'Encounter/5' }],
    event: [{ text: 'visit' }],
    period_start: '1987-11',
    period_end: '1987-11-19 06:00:00+00',
    facility_type: { text: 'clinic' },
    practice_setting: { text: 'primary care' },
    source_patient_info: { reference: 'Patient/p-1' },
    related: [{ reference: 'Observation/8' }],
  }), contextWith({ attachmentBaseUrls: ['https://files.example.org/a'] }))

  t.strictSame(document, {
    resourceType: 'DocumentReference',
    id: 'd-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    subject: { reference: 'Patient/p-1' },
    masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b' },
    identifier: [{ value: '17' }],
    status: 'superseded',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '34117-2', display: 'History and physical note' }] },
    category: [{ text: 'Clinical Note' }],
    date: '1987-11-19T05:22:16.824Z',
    author: [{ type: 'Practitioner', identifier: { value: '9' } }, { reference: 'Patient/p-1' }],
    authenticator: { display: 'Dr. Kunze' },
    custodian: { type: 'Organization', identifier: { system: 'urn:ietf:rfc:3986', value: 'https://ehr.example.org/fhir/Organization/3' } },
    relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/d-0' } }],
    description: 'A note\nof two lines',
    securityLabel: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] }],
    content: [{
      attachment: { contentType: 'application/pdf', url: 'https://files.example.org/a/b.pdf', size: 12, hash: 'SGVsbG8=', title: 'Note', creation: '2019-12-31T23:00:00Z' },
      format: { system: 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem', code: 'urn:ihe:pcc:handp:2008' },
    }],
    context: {
      encounter: [{ type: 'Encounter', identifier: { value: '5' } }],
      event: [{ text: 'visit' }],
      facilityType: { text: 'clinic' },
      practiceSetting: { text: 'primary care' },
      sourcePatientInfo: { reference: 'Patient/p-1' },
      related: [{ type: 'Observation', identifier: { value: '8' } }],
      period: { start: '1987-11', end: '1987-11-19T06:00:00Z' },
    },
  })
  t.strictSame(findProblems(document), [])
})

t.test('an attachment always has a content type', async t => {
  const [bare] = toDocumentReference(rowOf('medical_records', { status: 'current', content: [{ attachment: { data: 'SGVs bG8=\n' } }] }), contextWith()).content
  t.strictSame(bare, { attachment: { contentType: 'application/octet-stream', data: 'SGVsbG8=' } })
})

t.test('a url that must not be followed with our token is left out, and a warning says where', async t => {
  const bases = ['https://files.example.org/a/', 'https://other.example.org']
  const kept = ['https://files.example.org/a/b', 'https://files.example.org/a/b?c=d', 'https://other.example.org/x', 'https://other.example.org:443/x']
  const leftOut = [
    'https://files.example.org/b', 'https://files.example.org/a/../b', 'https://files.example.org/ab', 'https://files.example.org.evil.example/a/b',
    'http://files.example.org/a/b', 'https://files.example.org:444/a/b', 'https://u:p@files.example.org/a/b', 'https://other.example.org\\@evil.example/x',
    '/a/b', 'Binary/1', 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b', 'ftp://files.example.org/a/b', 'a/b',
  ]
  const attachmentOf = (url: string) => {
    const context = contextWith({ attachmentBaseUrls: bases })
    const { content: [first] } = toDocumentReference(rowOf('medical_records', { id: 'd-1', status: 'current', content: [{ attachment: { title: 'x', url } }] }), context)
    return { attachment: first?.attachment, warnings: context.warnings }
  }
  for (const url of kept) {
    t.strictSame(attachmentOf(url), { attachment: { contentType: 'application/octet-stream', title: 'x', url }, warnings: [] }, url)
  }
  for (const url of leftOut) {
    t.strictSame(attachmentOf(url), {
      attachment: { contentType: 'application/octet-stream', title: 'x' },
      warnings: [{
        severity: 'warning',
        type: 'DocumentReference',
        id: 'd-1',
        path: 'content[0].attachment.url',
        problem: 'is left out: not under ATTACHMENT_BASE_URLS',
      }],
    }, url)
  }
})

t.test('of inline data and a url, the data is exported', async t => {
  const context = contextWith({ attachmentBaseUrls: ['https://files.example.org'] })
  const row = rowOf('medical_records', { status: 'current', content: [{ attachment: { contentType: 'text/plain', data: 'SGVsbG8=', url: 'https://files.example.org/a' } }] })
  t.strictSame(toDocumentReference(row, context).content, content)
  t.match(context.warnings, [{ path: 'content[0].attachment.url', problem: 'is left out: the data is inline' }])
})

const bad: Array<BadRow<Partial<Record<Column<'medical_records'>, unknown>>>> = [
  [{ patient_id: null }, 'subject', 'is required'],
  [{ patient_id: '' }, 'subject', 'is required'],
  [{ patient_id: secret }, 'subject.reference', 'must be 1 to 64'],
  [{ status: null }, 'status', 'is required'],
  [{ status: secret }, 'status', 'must be one of current'],
  [{ doc_status: 'done' }, 'docStatus', 'must be one of preliminary'],
  [{ content: null }, 'content', 'is required'],
  [{ content: [{ format: { code: 'x' } }] }, 'content[0].attachment', 'is required'],
  [{ content: [{ attachment: {} }] }, 'content', 'is required'],
  [{ content: [{ attachment: { data: `${secret}!` } }] }, 'content[0].attachment.data', 'must be base64'],
  [{ content: [{ attachment: { data: 'SGVsbG8' } }] }, 'content[0].attachment.data', 'must be base64'],
  [{ content: [{ attachment: { data: 'SG=sbG8=' } }] }, 'content[0].attachment.data', 'must be base64'],
  [{ content: [{ attachment: { data: '====' } }] }, 'content[0].attachment.data', 'must be base64'],
  [{ content: [{ attachment: { size: -1 } }] }, 'content[0].attachment.size', 'must be an integer'],
  [{ content: [{ attachment: { url: 'a b' } }] }, 'content[0].attachment.url', 'must be a URI'],
  [{ date: '2024-01-31' }, 'date', 'must be an instant'],
  [{ date: '-infinity' }, 'date', 'must be an instant'],
  [{ relates_to: [{ code: 'replaces' }] }, 'relatesTo[0].target', 'is required'],
  [{ relates_to: [{ code: 'replaces', target: { reference: 'Patient/p-1' } }] }, 'relatesTo[0].target', 'must refer to one of DocumentReference'],
  [{ description: '\u0007' }, 'description', 'control characters'],
  [{ period_start: '2020-13' }, 'context.period.start', 'must be a dateTime'],
  [{ period_start: '2020', period_end: '2019-12-31' }, 'context.period', 'must not end before it starts'],
  [{ encounter: { reference: 'Encounter/1' } }, 'context.encounter', 'must be an array'],
  [{ encounter: [{ reference: 'Location/1' }] }, 'context.encounter[0]', 'must refer to one of Encounter'],
]

t.test('a row that cannot be a DocumentReference is an error that names the element and shows no content', async t => {
  assertBadRows(t, values => toDocumentReference(rowOf('medical_records', { status: 'current', content, ...values }), contextWith()), bad)
})
