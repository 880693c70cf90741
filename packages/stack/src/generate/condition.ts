import type { Condition } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { dayMs, toDate, toDateTime, toPartialDate } from './dates.ts'
import type { GeneratedEncounter } from './encounter.ts'
import type { GeneratedPatient } from './patient.ts'
import type { Random } from './random.ts'
import { practitioner } from './references.ts'

/** Of about half of the encounters. Some have a narrative, some an extension: both belong to the resource and come out again. */
export function generateConditions (generated: GeneratedPatient, encounters: GeneratedEncounter[], random: Random): Condition[] {
  return encounters.flatMap((encounter) => random.chance(0.5) ? [generateCondition(generated, encounter, random)] : [])
}

function generateCondition (
  { patient, lastSeenMs }: GeneratedPatient, { encounter, startMs }: GeneratedEncounter, random: Random
): Condition {
  const isResolved = random.chance(0.4)
  const code = random.pick(codes.diagnoses)
  return {
    resourceType: 'Condition',
    id: random.uuid(),
    ...(random.chance(0.1)
      ? { text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${code.coding?.[0]?.display}</p></div>` } }
      : {}),
    ...(random.chance(0.2)
      ? { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/condition-assertedDate', valueDateTime: toDate(startMs) }] }
      : {}),
    clinicalStatus: isResolved ? codes.clinicalStatuses.resolved : codes.clinicalStatuses.active,
    verificationStatus: codes.confirmed,
    category: [random.pick(codes.conditionCategories)],
    code,
    subject: { reference: `Patient/${patient.id}` },
    encounter: { reference: `Encounter/${encounter.id}` },
    onsetDateTime: random.chance(0.2) ? toPartialDate(startMs, random) : toDateTime(startMs, random),
    ...(isResolved ? { abatementDateTime: toDate(Math.min(lastSeenMs, startMs + random.integer(5, 400) * dayMs)) } : {}),
    recordedDate: toDateTime(startMs, random),
    asserter: practitioner(random),
  }
}
