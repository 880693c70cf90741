import { createHash } from 'node:crypto'
import type { Attachment, DocumentReference, DocumentReferenceContent, DocumentReferenceContext, Patient } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { randomTime, toDateTime, toInstant, toPartialDate } from './dates.ts'
import { generateNote } from './note.ts'
import type { GeneratedPatient } from './patient.ts'
import type { Random } from './random.ts'
import { elsewhere, organization, practitioner } from './references.ts'
import { descriptions } from './vocabulary.ts'

const uuidSystem = 'urn:ietf:rfc:3986'

/** Three on average, none for some patients and more than ten for a few. */
export function generateDocuments ({ patient, bornMs, lastSeenMs }: GeneratedPatient, random: Random): DocumentReference[] {
  const count = Math.floor(-Math.log(1 - random.next()) * 3.5)
  const documents: DocumentReference[] = []
  for (let index = 0; index < count; index++) {
    documents.push(generateDocument(patient, randomTime(random, bornMs, lastSeenMs), random, documents.at(-1)?.id))
  }
  return documents
}

function generateDocument (patient: Patient, writtenMs: number, random: Random, previousId: string | undefined): DocumentReference {
  const subject = { reference: `Patient/${patient.id}` }
  const document: DocumentReference = {
    resourceType: 'DocumentReference',
    id: random.uuid(),
    identifier: [{ system: uuidSystem, value: `urn:uuid:${random.uuid()}` }],
    status: 'current',
    type: random.pick(codes.documentTypes),
    category: [codes.clinicalNote],
    subject,
    content: contents(patient, writtenMs, random),
  }
  if (random.chance(0.2)) document.masterIdentifier = { system: uuidSystem, value: `urn:uuid:${random.uuid()}` }
  if (random.chance(0.08)) document.status = random.pick(['superseded', 'superseded', 'entered-in-error'] as const)
  if (random.chance(0.5)) document.docStatus = random.pick(['final', 'final', 'amended', 'preliminary'] as const)
  if (random.chance(0.97)) document.date = toInstant(writtenMs)
  if (random.chance(0.9)) document.author = random.chance(0.1) ? [practitioner(random), subject] : [practitioner(random)]
  if (random.chance(0.2)) document.authenticator = practitioner(random)
  if (random.chance(0.8)) document.custodian = organization(random)
  if (previousId !== undefined && random.chance(0.1)) {
    document.relatesTo = [{ code: random.pick(['replaces', 'appends', 'transforms'] as const), target: { reference: `DocumentReference/${previousId}` } }]
  }
  if (random.chance(0.4)) document.description = random.pick(descriptions)
  if (random.chance(0.15)) document.securityLabel = [random.pick(codes.confidentiality)]
  if (random.chance(0.8)) document.context = context(subject.reference, writtenMs, random)
  return document
}

function contents (patient: Patient, writtenMs: number, random: Random): DocumentReferenceContent[] {
  const name = patient.name?.[0]
  const text = Buffer.from(generateNote(random, `${name?.given?.[0]} ${name?.family}`, toInstant(writtenMs).slice(0, 10)))
  const attachment: Attachment = { contentType: 'text/plain; charset=utf-8', data: text.toString('base64') }
  if (random.chance(0.3)) attachment.size = text.length
  if (random.chance(0.05)) attachment.hash = createHash('sha1').update(text).digest('base64')
  if (random.chance(0.3)) attachment.title = random.pick(descriptions)
  if (random.chance(0.2)) attachment.language = 'en'
  if (random.chance(0.3)) attachment.creation = random.chance(0.3) ? toPartialDate(writtenMs, random) : toDateTime(writtenMs, random)
  const first = random.chance(0.5) ? { attachment, format: codes.textFormat } : { attachment }
  if (!random.chance(0.05)) return [first]
  // The same in another form; and a document of which only the title is known.
  const html = Buffer.from(`<pre>${text.toString().replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</pre>`)
  return [first, { attachment: { contentType: 'text/html', data: html.toString('base64') } }, { attachment: { contentType: 'application/pdf', title: 'Scan (on paper only)' } }]
}

function context (patient: string, writtenMs: number, random: Random): DocumentReferenceContext {
  const context: DocumentReferenceContext = {
    encounter: [elsewhere('Encounter', codes.systems.encounter, random.uuid())],
    period: { start: toDateTime(writtenMs - random.integer(10, 240) * 60_000, random), end: toDateTime(writtenMs, random) },
  }
  if (random.chance(0.2)) delete context.period?.end
  if (random.chance(0.2)) context.event = [random.pick(codes.documentedEvents)]
  if (random.chance(0.3)) context.facilityType = random.pick(codes.facilityTypes)
  if (random.chance(0.3)) context.practiceSetting = random.pick(codes.practiceSettings)
  if (random.chance(0.1)) context.sourcePatientInfo = { reference: patient }
  if (random.chance(0.1)) context.related = [elsewhere('ServiceRequest', 'https://example.org/orders', `${random.integer(1, 999_999)}`, 'Order')]
  return context
}
