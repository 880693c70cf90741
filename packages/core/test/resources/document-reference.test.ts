import t from 'tap'
import { assertBadRows, secret, type BadRow } from '../fixtures/bad-rows.ts'
import { lineOf } from '../fixtures/lines.ts'
import { findProblems } from '../fixtures/validators.ts'

const content = [{ attachment: { contentType: 'text/plain', data: 'SGVsbG8=' } }]

t.test('a row with what a document needs becomes a DocumentReference', async (t) => {
  const { resource } = lineOf('DocumentReference', { id: 'd-1', status: 'current', content })
  t.strictSame(resource, {
    resourceType: 'DocumentReference',
    id: 'd-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    subject: { reference: 'Patient/p-1' },
    status: 'current',
    content,
  })
  t.strictSame(findProblems(resource), [])
})

t.test('a full row becomes a full DocumentReference, with its context', async (t) => {
  const same = {
    identifier: [{ value: '17' }], status: 'superseded', description: 'A note\nof two lines', type: { text: 'note' },
    category: [{ text: 'Clinical Note' }]
  }
  const author = [{ reference: 'Practitioner/9' }, { reference: 'Patient/p-1' }]
  const full = [{
    attachment: {
      contentType: 'application/pdf', url: 'https://files.example.org/a/b.pdf', size: 12, hash: 'SGVsbG8=', title: 'Note',
      creation: '2020-01-01T01:00:00+02:00'
    },
    format: { system: 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem', code: 'urn:ihe:pcc:handp:2008' },
  }]
  const { resource } = lineOf('DocumentReference', {
    ...same,
    master_identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b' },
    doc_status: 'final',
    date: '1987-11-19T05:22:16.824Z',
    author,
    authenticator: { display: 'Dr. Kunze' },
    custodian: { reference: 'https://ehr.example.org/fhir/Organization/3' },
    relates_to: [{ code: 'replaces', target: { reference: 'DocumentReference/d-0' } }],
    security_label: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] }],
    content: full,
    encounter: [{ reference: 'Encounter/5' }],
    event: [{ text: 'visit' }],
    period_start: '1987-11',
    period_end: '1987-11-19T06:00:00Z',
    facility_type: { text: 'clinic' },
    practice_setting: { text: 'primary care' },
    source_patient_info: { reference: 'Patient/p-1' },
    related: [{ reference: 'Observation/8' }],
  }, { attachmentBaseUrls: ['https://files.example.org/a'] })

  t.strictSame(resource, {
    ...same,
    resourceType: 'DocumentReference',
    id: 'r-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    subject: { reference: 'Patient/p-1' },
    masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b' },
    docStatus: 'final',
    date: '1987-11-19T05:22:16.824Z',
    author,
    authenticator: { display: 'Dr. Kunze' },
    custodian: { reference: 'https://ehr.example.org/fhir/Organization/3' },
    relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/d-0' } }],
    securityLabel: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] }],
    content: full,
    context: {
      encounter: [{ reference: 'Encounter/5' }],
      event: [{ text: 'visit' }],
      period: { start: '1987-11', end: '1987-11-19T06:00:00Z' },
      facilityType: { text: 'clinic' },
      practiceSetting: { text: 'primary care' },
      sourcePatientInfo: { reference: 'Patient/p-1' },
      related: [{ reference: 'Observation/8' }],
    },
  })
  t.strictSame(findProblems(resource), [])
})

t.test('an attachment of a column comes out as it went in', async (t) => {
  const bare = [{
    attachment: {
      data: 'SGVs bG8=\n', id: 'a',
      _title: { extension: [{ url: 'http://example.org/x', valueString: 'y' }] }
    }
  }]
  t.strictSame(lineOf('DocumentReference', { status: 'current', content: bare }).resource.content, bare)
})

const bases = ['https://files.example.org/a/', 'https://other.example.org']
const attachmentOf = (attachment: object) => {
  const { resource, warnings } = lineOf('DocumentReference', { status: 'current', content: [{ attachment }] },
    { attachmentBaseUrls: bases })
  return { attachment: resource.content[0].attachment, warnings }
}
const warning = {
  severity: 'warning', type: 'DocumentReference', id: 'r-1', path: 'content[0].attachment.url',
  problem: 'is left out: not under ATTACHMENT_BASE_URLS'
}

t.test('a url that may be followed with our token stays, a relative one becomes absolute', async (t) => {
  for (const url of ['https://files.example.org/a/b', 'https://files.example.org/a/b?c=d', 'https://other.example.org/x',
    'https://other.example.org:443/x']) {
    t.strictSame(attachmentOf({ title: 'x', url }), { attachment: { title: 'x', url }, warnings: [] }, url)
  }
  const relative = {
    'Binary/1': 'https://files.example.org/a/Binary/1', '/a/b': 'https://files.example.org/a/b',
    './c?d=e': 'https://files.example.org/a/c?d=e'
  }
  for (const [url, absolute] of Object.entries(relative)) {
    t.strictSame(attachmentOf({ url, title: 'x' }), { attachment: { url: absolute, title: 'x' }, warnings: [] }, url)
  }
})

t.test('any other url is left out, and a warning says where', async (t) => {
  const leftOut = [
    'https://files.example.org/b', 'https://files.example.org/a/../b', 'https://files.example.org/ab',
    'https://files.example.org.evil.example/a/b',
    'http://files.example.org/a/b', 'https://files.example.org:444/a/b', 'https://u:p@files.example.org/a/b',
    'https://other.example.org\\@evil.example/x',
    '/b', '../b', '//evil.example/a/b', 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b', 'ftp://files.example.org/a/b',
  ]
  for (const url of leftOut) t.strictSame(attachmentOf({ title: 'x', url }), { attachment: { title: 'x' }, warnings: [warning] }, url)
})

t.test('an attachment that had only such a url says that it is masked, so that the document is not lost', async (t) => {
  const { attachment, warnings } = attachmentOf({ url: 'https://evil.example/x' })
  t.strictSame(attachment,
    { _url: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }] } })
  t.strictSame(warnings, [warning])
})

t.test('in `resource` a url stays as it is', async (t) => {
  const resource = { status: 'current', content: [{ attachment: { url: 'http://elsewhere.example.org/x' } }] }
  t.strictSame(lineOf('DocumentReference', { resource }).resource.content, resource.content)
})

const bad: BadRow[] = [
  [{ patient_id: secret }, 'subject', 'patient_id'],
  [{ status: null }, 'status', 'is required'],
  [{ status: secret }, 'status', 'must be one of current'],
  [{ doc_status: 'done' }, 'docStatus', 'must be one of preliminary'],
  [{ content: null }, 'content', 'is required'],
  [{ content: [{ format: { code: 'x' } }] }, 'content[0].attachment', 'is required'],
  [{ content: [{ attachment: {} }] }, 'content', 'is required'],
  [{ content: [{ attachment: { data: `${secret}!` } }] }, 'content[0].attachment.data', 'must be base64'],
  [{ content: [{ attachment: { data: 'SGVsbG8' } }] }, 'content[0].attachment.data', 'must be base64'],
  [{ content: [{ attachment: { data: 'SG!sbG8=' } }] }, 'content[0].attachment.data', 'must be base64'],
  [{ content: [{ attachment: { size: -1 } }] }, 'content[0].attachment.size', 'must be an integer'],
  [{ content: [{ attachment: { url: 'a b' } }] }, 'content[0].attachment.url', 'must be a URI'],
  [{ date: -0x8000_0000_0000_0000n }, 'date', 'must be an instant'],
  [{ relates_to: [{ code: 'replaces' }] }, 'relatesTo[0].target', 'is required'],
  [{ description: '\u0007' }, 'description', 'control characters'],
  [{ period_start: '2020-13' }, 'context.period.start', 'must be a dateTime'],
  [{ encounter: { reference: 'Encounter/1' } }, 'context.encounter', 'must be an array'],
]

t.test('a row that cannot be a DocumentReference is an issue that names the element and shows no content', async (t) => {
  assertBadRows(t, 'DocumentReference', { status: 'current', content }, bad)
})
