import { createHash } from 'node:crypto'
import type { Attachment, DocumentReferenceContent } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { randomTime, toDateTime, toInstant, toPartialDate } from './dates.ts'
import type { GeneratedEncounter } from './encounter.ts'
import { generateNote } from './note.ts'
import type { GeneratedPatient, PatientRow } from './patient.ts'
import type { Random } from './random.ts'
import { elsewhere, organization, practitioner } from './references.ts'
import { descriptions } from './vocabulary.ts'

/** A page with nothing on it. */
const scan = Buffer.from(`%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj
trailer<</Root 1 0 R>>
%%EOF
`).toString('base64')

const uuidSystem = 'urn:ietf:rfc:3986'

/** A row of source.medical_records. */
export type DocumentRow = ReturnType<typeof generateDocument>

/** Three on average, none for some patients and more than ten for a few; most belong to an encounter. */
export function generateDocuments (generated: GeneratedPatient, encounters: GeneratedEncounter[], random: Random): DocumentRow[] {
  const count = Math.floor(-Math.log(1 - random.next()) * 3.5)
  const documents: DocumentRow[] = []
  for (let index = 0; index < count; index++) {
    const encounter = random.maybe(0.7, () => random.pick(encounters))
    documents.push(generateDocument(generated, encounter, random, documents.at(-1)?.id))
  }
  return documents
}

function generateDocument (
  { patient, bornMs, lastSeenMs }: GeneratedPatient, encounter: GeneratedEncounter | null, random: Random, previousId: string | undefined
) {
  const writtenMs = encounter?.endMs ?? randomTime(random, bornMs, lastSeenMs)
  const subject = { reference: `Patient/${patient.id}` }
  return {
    id: random.uuid(),
    patient_id: patient.id,
    master_identifier: random.maybe(0.2, () => ({ system: uuidSystem, value: `urn:uuid:${random.uuid()}` })),
    identifier: [{ system: uuidSystem, value: `urn:uuid:${random.uuid()}` }],
    status: random.chance(0.92) ? 'current' : random.pick(['superseded', 'superseded', 'entered-in-error'] as const),
    doc_status: random.maybe(0.5, () => random.pick(['final', 'final', 'amended', 'preliminary'] as const)),
    type: random.pick(codes.documentTypes),
    category: [codes.clinicalNote],
    date: random.maybe(0.97, () => toInstant(writtenMs)),
    author: random.maybe(0.9, () => random.chance(0.1) ? [practitioner(random), subject] : [practitioner(random)]),
    authenticator: random.maybe(0.2, () => practitioner(random)),
    custodian: random.maybe(0.8, () => organization(random)),
    relates_to: previousId === undefined
      ? null
      : random.maybe(0.1, () => [{
        code: random.pick(['replaces', 'appends', 'transforms'] as const), target: { reference: `DocumentReference/${previousId}` },
      }]),
    description: random.maybe(0.4, () => random.pick(descriptions)),
    security_label: random.maybe(0.15, () => [random.pick(codes.confidentiality)]),
    content: contents(patient, writtenMs, random),
    encounter: encounter === null ? null : [{ reference: `Encounter/${encounter.encounter.id}` }],
    event: random.maybe(0.2, () => [random.pick(codes.documentedEvents)]),
    period_start: toDateTime(encounter?.startMs ?? writtenMs - random.integer(10, 240) * 60_000, random),
    period_end: random.maybe(0.8, () => toDateTime(writtenMs, random)),
    facility_type: random.maybe(0.3, () => random.pick(codes.facilityTypes)),
    practice_setting: random.maybe(0.3, () => random.pick(codes.practiceSettings)),
    source_patient_info: random.maybe(0.1, () => subject),
    related: random.maybe(0.1, () => [elsewhere('ServiceRequest', 'https://example.org/orders', `${random.integer(1, 999_999)}`, 'Order')]),
  }
}

function contents (patient: PatientRow, writtenMs: number, random: Random): DocumentReferenceContent[] {
  const name = patient.name[0]
  const text = Buffer.from(generateNote(random, `${name?.given?.[0]} ${name?.family}`, toInstant(writtenMs).slice(0, 10)))
  const attachment: Attachment = { contentType: 'text/plain; charset=utf-8', data: text.toString('base64') }
  if (random.chance(0.3)) attachment.size = text.length
  if (random.chance(0.05)) attachment.hash = createHash('sha1').update(text).digest('base64')
  if (random.chance(0.3)) attachment.title = random.pick(descriptions)
  if (random.chance(0.2)) attachment.language = 'en'
  if (random.chance(0.3)) attachment.creation = random.chance(0.3) ? toPartialDate(writtenMs, random) : toDateTime(writtenMs, random)
  const first = random.chance(0.5) ? { attachment, format: codes.textFormat } : { attachment }
  if (!random.chance(0.05)) return [first]
  // The same in other forms.
  const html = Buffer.from(`<pre>${text.toString().replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</pre>`)
  return [
    first, { attachment: { contentType: 'text/html', data: html.toString('base64') } },
    { attachment: { contentType: 'application/pdf', data: scan, title: 'Scan' } },
  ]
}
