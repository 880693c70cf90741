import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'

interface R4Type { base?: string, kind?: string, abstract?: boolean, elements: string[] }
interface Table {
  version: string
  types: Record<string, R4Type>
  codes: Record<string, string>
  systems: Record<string, string>
  compartment: Record<string, string[]>
  search: Record<string, Record<string, string>>
}

const text = readFileSync(new URL('../../src/r4/r4.json', import.meta.url), 'utf8')
const { version, types, codes, systems, compartment, search } = JSON.parse(text) as Table
const typeOf = (name: string): R4Type => types[name] ?? { elements: [] }
const find = (path: string): string | undefined => {
  const dot = path.lastIndexOf('.')
  return typeOf(path.slice(0, dot)).elements.find(line => line.startsWith(`${path.slice(dot + 1)} `))
}

t.test('the table is R4 4.0.1: its 146 resource types, and the abstract ones', async t => {
  t.equal(version, '4.0.1')
  const resources = Object.entries(types).filter(([, { kind }]) => kind === 'resource')
  t.equal(resources.filter(([, { abstract }]) => abstract !== true).length, 146)
  t.strictSame(Object.entries(types).filter(([, { abstract }]) => abstract === true).map(([name]) => name),
    ['Element', 'BackboneElement', 'Resource', 'DomainResource'])
})

t.test('a type has its own elements, in FHIR\'s order', async t => {
  t.strictSame(typeOf('Element'), { abstract: true, elements: ['id 0..1 string', 'extension 0..* Extension'] })
  t.strictSame(typeOf('BackboneElement'), { base: 'Element', abstract: true, elements: ['modifierExtension 0..* Extension'] })
  t.strictSame(typeOf('Resource'), {
    kind: 'resource', abstract: true, elements: ['id 0..1 id', 'meta 0..1 Meta', 'implicitRules 0..1 uri', 'language 0..1 code'],
  })
  t.strictSame(typeOf('DomainResource'), {
    base: 'Resource',
    kind: 'resource',
    abstract: true,
    elements: ['text 0..1 Narrative', 'contained 0..* Resource', 'extension 0..* Extension', 'modifierExtension 0..* Extension'],
  })
  t.strictSame(typeOf('Patient'), {
    base: 'DomainResource',
    kind: 'resource',
    elements: [
      'identifier 0..* Identifier', 'active 0..1 boolean', 'name 0..* HumanName', 'telecom 0..* ContactPoint',
      'gender 0..1 code administrative-gender',
      'birthDate 0..1 date', 'deceased[x] 0..1 boolean|dateTime', 'address 0..* Address', 'maritalStatus 0..1 CodeableConcept',
      'multipleBirth[x] 0..1 boolean|integer', 'photo 0..* Attachment', 'contact 0..* Patient.contact',
      'communication 0..* Patient.communication',
      'generalPractitioner 0..* Reference', 'managingOrganization 0..1 Reference', 'link 0..* Patient.link',
    ],
  })
  t.strictSame(typeOf('Patient.link'), { base: 'BackboneElement', elements: ['other 1..1 Reference', 'type 1..1 code link-type'] })
  t.strictSame(typeOf('Observation.component'), {
    base: 'BackboneElement',
    elements: [
      'code 1..1 CodeableConcept',
      'value[x] 0..1 Quantity|CodeableConcept|string|boolean|integer|Range|Ratio|SampledData|time|dateTime|Period',
      'dataAbsentReason 0..1 CodeableConcept', 'interpretation 0..* CodeableConcept', 'referenceRange 0..* Observation.referenceRange',
    ],
  })
  t.strictSame(typeOf('Timing.repeat'), {
    base: 'Element',
    elements: [
      'bounds[x] 0..1 Duration|Range|Period', 'count 0..1 positiveInt', 'countMax 0..1 positiveInt', 'duration 0..1 decimal',
      'durationMax 0..1 decimal',
      'durationUnit 0..1 code units-of-time', 'frequency 0..1 positiveInt', 'frequencyMax 0..1 positiveInt', 'period 0..1 decimal',
      'periodMax 0..1 decimal',
      'periodUnit 0..1 code units-of-time', 'dayOfWeek 0..* code days-of-week', 'timeOfDay 0..* time', 'when 0..* code event-timing',
      'offset 0..1 unsignedInt',
    ],
  })
  t.strictSame(typeOf('Money'), { base: 'Element', elements: ['value 0..1 decimal', 'currency 0..1 code'] },
    'a set of all currencies cannot be listed')
  t.strictSame(typeOf('positiveInt'), { base: 'integer', elements: [] })
})

t.test('what an element holds is a type of the table', async t => {
  t.equal(find('Questionnaire.item.item'), 'item 0..* Questionnaire.item', 'what refers to another element has its type')
  t.equal(find('Bundle.entry.resource'), 'resource 0..1 Resource')
  t.equal(find('Bundle.entry.response.outcome'), 'outcome 0..1 Resource')
  t.equal(find('Observation.referenceRange.low'), 'low 0..1 Quantity', 'a SimpleQuantity is a Quantity')
  t.equal(find('Extension.url'), 'url 1..1 uri')
  t.equal(find(
    'Extension.value[x]'
  ), 'value[x] 0..1 base64Binary|boolean|canonical|code|date|dateTime|decimal|id|instant|integer|markdown|oid|' +
    'positiveInt|string|time|unsignedInt|uri|url|uuid|Address|Age|Annotation|Attachment|CodeableConcept|Coding|ContactPoint|Count|' +
    'Distance|Duration|' +
    'HumanName|Identifier|Money|Period|Quantity|Range|Ratio|Reference|SampledData|Signature|Timing|ContactDetail|Contributor|' +
    'DataRequirement|' +
    'Expression|ParameterDefinition|RelatedArtifact|TriggerDefinition|UsageContext|Dosage|Meta')

  const lines = Object.entries(types).flatMap(([name, { elements }]) => elements.map(line => [name, ...line.split(' ')]))
  t.strictSame(lines.filter(([, , cardinality]) => !/^[01]\.\.[1*]$/.test(cardinality ?? '')), [])
  t.strictSame(lines.filter(([, , , held]) => !(held ?? '').split('|').every(type => type in types)), [])
  t.strictSame(lines.filter(([, , , held, set]) => set !== undefined && (held !== 'code' || !(set in codes))), [])
  t.strictSame(lines.filter(([, , , held]) => held === 'Element' || held === 'BackboneElement'), [],
    'a backbone element is a type of its own')
  t.strictSame(Object.entries(types).filter(([, { base }]) => base !== undefined && !(base in types)), [])
})

t.test('nothing stands twice', async t => {
  for (const [name, { elements }] of Object.entries(types)) {
    const names = [...elements, ...typeOf(typeOf(name).base ?? '').elements].map(line => line.split(' ')[0])
    t.equal(new Set(names).size, names.length, name)
  }
  for (const [set, list] of Object.entries(codes)) t.equal(new Set(list.split(' ')).size, list.split(' ').length, set)
  const keys = text.match(/^ {2}"[^"]+": /gm) ?? []
  t.equal(keys.length, Object.keys(types).length + Object.keys(codes).length + Object.keys(systems).length +
    Object.keys(compartment).length + Object.keys(search).length, 'no key')
})

t.test('codes are those of required value sets, nested ones and lists of several systems too', async t => {
  t.equal(codes['administrative-gender'], 'male female other unknown')
  t.equal(systems['administrative-gender'], 'http://hl7.org/fhir/administrative-gender')
  t.strictSame(Object.keys(systems), Object.keys(codes))
  t.equal(codes['quantity-comparator'], '< <= >= >')
  t.equal(codes['observation-status'], 'registered preliminary final amended corrected cancelled entered-in-error unknown')
  t.match(codes['event-timing'], /^MORN MORN\.early .*\bHS\b.*\bWAKE\b/)
  t.equal(codes['resource-types']?.split(' ').length, 148, 'the 146, Resource and DomainResource')
  t.notOk('mimetypes' in codes || 'currencies' in codes)
})

t.test('the compartment of a patient', async t => {
  t.equal(Object.keys(compartment).length, 67)
  t.strictSame(Object.entries(compartment).map(([type, paths]) => [type, ...paths].join(' ')), [
    'Account subject', 'AdverseEvent subject', 'AllergyIntolerance patient recorder asserter', 'Appointment participant.actor',
    'AppointmentResponse actor', 'AuditEvent agent.who entity.what', 'Basic subject author', 'BodyStructure patient',
    'CarePlan subject activity.detail.performer', 'CareTeam subject participant.member', 'ChargeItem subject', 'Claim patient payee.party',
    'ClaimResponse patient', 'ClinicalImpression subject', 'Communication subject sender recipient',
    'CommunicationRequest subject sender recipient requester', 'Composition subject author attester.party', 'Condition subject asserter',
    'Consent patient', 'Coverage policyHolder subscriber beneficiary payor', 'CoverageEligibilityRequest patient',
    'CoverageEligibilityResponse patient', 'DetectedIssue patient', 'DeviceRequest subject performer', 'DeviceUseStatement subject',
    'DiagnosticReport subject', 'DocumentManifest subject author recipient', 'DocumentReference subject author', 'Encounter subject',
    'EnrollmentRequest candidate', 'EpisodeOfCare patient', 'ExplanationOfBenefit patient payee.party', 'FamilyMemberHistory patient',
    'Flag subject', 'Goal subject', 'Group member.entity', 'ImagingStudy subject', 'Immunization patient', 'ImmunizationEvaluation patient',
    'ImmunizationRecommendation patient', 'Invoice subject recipient', 'List subject source', 'MeasureReport subject', 'Media subject',
    'MedicationAdministration subject performer.actor', 'MedicationDispense subject receiver', 'MedicationRequest subject',
    'MedicationStatement subject', 'MolecularSequence patient', 'NutritionOrder patient', 'Observation subject performer',
    'Patient link.other',
    'Person link.target', 'Procedure subject performer.actor', 'Provenance target', 'QuestionnaireResponse subject author',
    'RelatedPerson patient', 'RequestGroup subject action.participant', 'ResearchSubject individual', 'RiskAssessment subject',
    'Schedule actor',
    'ServiceRequest subject performer', 'Specimen subject', 'SupplyDelivery patient', 'SupplyRequest deliverTo', 'Task for focus',
    'VisionPrescription patient',
  ])
  for (const [type, paths] of Object.entries(compartment)) {
    for (const path of paths) {
      const last = path.split('.').reduce((held, name) => find(`${held}.${name}`)?.split(' ')[2] ?? '', type)
      t.equal(last, 'Reference', `${type}.${path}`)
    }
  }
})

t.test('search parameters, each type with its own part of the expression', async t => {
  t.strictSame(search.Resource, {
    _id: 'token Resource.id',
    _lastUpdated: 'date Resource.meta.lastUpdated',
    _profile: 'uri Resource.meta.profile',
    _security: 'token Resource.meta.security',
    _source: 'uri Resource.meta.source',
    _tag: 'token Resource.meta.tag',
  })
  t.equal(search.Observation?.category, 'token Observation.category')
  t.equal(search.Observation?.date, 'date Observation.effective')
  t.equal(search.Observation?.['combo-code'], 'token Observation.code | Observation.component.code')
  t.equal(search.Observation?.patient, 'reference Observation.subject.where(resolve() is Patient)')
  t.equal(search.Patient?.phone, "token Patient.telecom.where(system='phone')")
  t.equal(search.Person?.phone, "token Person.telecom.where(system='phone')")
  t.equal(search.InsurancePlan?.name, 'string InsurancePlan.name | InsurancePlan.alias')
  t.equal(search.DeviceDefinition?.classification, undefined, 'is not in 4.0.1')
  for (const [type, parameters] of Object.entries(search)) {
    for (const [code, parameter] of Object.entries(parameters)) {
      t.match(parameter, new RegExp(`^(?:token|string|date|reference|quantity|number|uri|composite|special) \\(*${type}\\b`),
        `${type} ${code}`)
      const others = [...parameter.replace(/'[^']*'/g, '').matchAll(/\b([A-Z][A-Za-z]+)\./g)].map(match => match[1])
        .filter(name => name !== type)
      t.strictSame(others, [], `${type} ${code}`)
    }
  }
})

/** Another package made of HL7's definitions; where it is wrong stands in the tests below. */
interface JsProperty {
  _name: string, _type: string, _choice?: string, _multiple: boolean, _required?: boolean, _valueSet?: string,
  _valueSetStrength?: string, _properties?: JsProperty[]
}
const require = createRequire(import.meta.url)
const jsTypes = require('fhir/profiles/types.json') as Record<string, { _kind: string, _properties: JsProperty[] }>
const jsSets = require('fhir/profiles/valuesets.json') as Record<string, { systems: Array<{ codes: Array<{ code: string }> }> }>

t.test('every element is as another package has it', async t => {
  const expected = new Set<string>()
  function walk (path: string, properties: readonly JsProperty[] = []): void {
    for (const property of properties.filter(({ _name }) => _name !== 'id' && !_name.startsWith('_'))) {
      const set = property._valueSetStrength === 'required' && property._type === 'code'
        ? property._valueSet?.split('|')[0]?.split('/')
          .at(-1) ?? ''
        : ''
      expected.add(
        `${path}.${property._name} ${property._required === true ? 1 : 0}..${property._multiple ? '*' : 1} ` +
          `${property._type} ${set in codes ? set : ''}`
      )
      walk(`${path}.${property._name}`, property._properties)
    }
  }
  const profiles = ['SimpleQuantity', 'MoneyQuantity']
  const compared = Object.entries(jsTypes).filter(([name, { _kind }]) => _kind !== 'primitive-type' && !profiles.includes(name))
  for (const [name, { _properties }] of compared) walk(name, _properties)

  const found = new Set<string>()
  for (const name of Object.keys(types).filter(name => !/^[a-z]/.test(name))) {
    for (let type: string | undefined = name; type !== undefined; type = typeOf(type).base) {
      for (const line of typeOf(type).elements.filter(line => !line.startsWith('id '))) {
        const [element = '', cardinality, held = '', set = ''] = line.split(' ')
        for (const one of held.split('|')) {
          const path = `${name}.${element.replace('[x]', `${one[0]?.toUpperCase()}${one.slice(1)}`)}`
          const shown = one === path ? typeOf(one).base : one.includes('.') ? `#${one}` : one
          found.add(`${path} ${cardinality} ${shown} ${set}`)
        }
      }
    }
  }
  t.strictSame([...expected].filter(line => !found.has(line)), ['Extension.url 1..1 string '],
    'no element is missing or different, but for one that R4 has as uri')
  t.strictSame([...found].filter(line => !expected.has(line)), [
    'Extension.url 1..1 uri ',
    'ClaimResponse.adjudication 0..* #ClaimResponse.item.adjudication ',
    'ExplanationOfBenefit.adjudication 0..* #ExplanationOfBenefit.item.adjudication ',
    'Invoice.totalPriceComponent 0..* #Invoice.lineItem.priceComponent ',
    'SubstanceSpecification.molecularWeight 0..* #SubstanceSpecification.structure.isotope.molecularWeight ',
  ], 'there are no others, but for those that the other package does not know')
  t.ok(found.size > 6_000)
})

/** Sets that take some codes of a system: the other package takes them all. */
const parts: Record<string, string> = {
  'care-plan-activity-kind':
    'Appointment CommunicationRequest DeviceRequest MedicationRequest NutritionOrder Task ServiceRequest VisionPrescription',
  'care-plan-intent': 'proposal plan order option',
  'clinicalimpression-status': 'in-progress completed entered-in-error',
  'immunization-evaluation-status': 'completed entered-in-error',
  'immunization-status': 'completed entered-in-error not-done',
  'system-restful-interaction': 'transaction batch search-system history-system',
  'task-intent': 'unknown proposal plan order original-order reflex-order filler-order instance-order option',
  'type-restful-interaction': 'read vread update patch delete history-instance history-type create search-type',
}

t.test('every list of codes is as another package has it', async t => {
  for (const [set, list] of Object.entries(codes)) {
    const url = Object.keys(jsSets).find(url => url.endsWith(`/${set}`))
    const expected = parts[set]?.split(' ') ?? jsSets[url ?? '']?.systems.flatMap(system => system.codes.map(({ code }) => code)) ?? ['U',
      'L', 'M', 'N', 'R', 'V']
    t.strictSame(list.split(' ').sort(), [...new Set(expected)].sort(), set)
  }
})
