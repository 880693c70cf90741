import type { Observation, ObservationComponent, Quantity } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { toDateTime, toInstant } from './dates.ts'
import type { GeneratedEncounter } from './encounter.ts'
import type { GeneratedPatient } from './patient.ts'
import type { Random } from './random.ts'
import { practitioner } from './references.ts'

/** What is measured: a value has `digits` decimals, and lies between `low` and `high` in most people. */
interface Measurement { code: string, display: string, unit: string, ucum: string, low: number, high: number, digits: number }

const vitalSigns: Measurement[] = [
  { code: '8867-4', display: 'Heart rate', unit: 'beats/minute', ucum: '/min', low: 60, high: 100, digits: 0 },
  { code: '9279-1', display: 'Respiratory rate', unit: 'breaths/minute', ucum: '/min', low: 12, high: 20, digits: 0 },
  { code: '8310-5', display: 'Body temperature', unit: 'degrees C', ucum: 'Cel', low: 36.1, high: 37.8, digits: 1 },
  { code: '29463-7', display: 'Body weight', unit: 'kg', ucum: 'kg', low: 50, high: 95, digits: 2 },
  { code: '8302-2', display: 'Body height', unit: 'cm', ucum: 'cm', low: 150, high: 195, digits: 1 },
  {
    code: '59408-5', display: 'Oxygen saturation in Arterial blood by Pulse oximetry', unit: '%', ucum: '%', low: 95, high: 100, digits: 0,
  },
]
const tests: Measurement[] = [
  { code: '718-7', display: 'Hemoglobin [Mass/volume] in Blood', unit: 'g/dL', ucum: 'g/dL', low: 12, high: 17.5, digits: 1 },
  { code: '2339-0', display: 'Glucose [Mass/volume] in Blood', unit: 'mg/dL', ucum: 'mg/dL', low: 70, high: 140, digits: 0 },
  { code: '4548-4', display: 'Hemoglobin A1c/Hemoglobin.total in Blood', unit: '%', ucum: '%', low: 4, high: 5.6, digits: 1 },
  { code: '2160-0', display: 'Creatinine [Mass/volume] in Serum or Plasma', unit: 'mg/dL', ucum: 'mg/dL', low: 0.6, high: 1.3, digits: 2 },
  { code: '2093-3', display: 'Cholesterol [Mass/volume] in Serum or Plasma', unit: 'mg/dL', ucum: 'mg/dL', low: 120, high: 200, digits: 0 },
  {
    code: '6690-2', display: 'Leukocytes [#/volume] in Blood by Automated count', unit: '10*3/uL', ucum: '10*3/uL', low: 4.5, high: 11,
    digits: 2,
  },
]
const systolic: Measurement = {
  code: '8480-6', display: 'Systolic blood pressure', unit: 'mm[Hg]', ucum: 'mm[Hg]', low: 100, high: 140, digits: 0,
}
const diastolic: Measurement = {
  code: '8462-4', display: 'Diastolic blood pressure', unit: 'mm[Hg]', ucum: 'mm[Hg]', low: 60, high: 90, digits: 0,
}

/** For each encounter the blood pressure, some vital signs and laboratory tests; for some patients whether they smoke. */
export function generateObservations (generated: GeneratedPatient, encounters: GeneratedEncounter[], random: Random): Observation[] {
  return encounters.flatMap(function observe (encounter, index) {
    const base = () => toBase(generated, encounter, random)
    const found = [bloodPressure(base(), random), ...pick(vitalSigns, 0.25, random).map((sign) => vitalSign(base(), sign, random))]
    if (random.chance(0.3)) found.push(...pick(tests, 0.3, random).map((test) => laboratoryTest(base(), test, encounter, random)))
    if (index === 0 && random.chance(0.3)) found.push(smoking(base(), random))
    return found
  })
}

type Base = Omit<Observation, 'code'>

function toBase ({ patient }: GeneratedPatient, { encounter, startMs }: GeneratedEncounter, random: Random): Base {
  return {
    resourceType: 'Observation',
    id: random.uuid(),
    status: random.chance(0.97) ? 'final' : 'amended',
    subject: { reference: `Patient/${patient.id}` },
    encounter: { reference: `Encounter/${encounter.id}` },
    effectiveDateTime: toDateTime(startMs, random),
    ...(random.chance(0.1) ? { performer: [practitioner(random)] } : {}),
  }
}

function bloodPressure (base: Base, random: Random): Observation {
  const component = [systolic, diastolic].map((part): ObservationComponent => ({
    code: codes.measured(part.code, part.display), valueQuantity: toQuantity(part, measure(part, random)),
  }))
  return {
    ...base, category: [codes.vitalSigns], code: codes.measured('85354-9', 'Blood pressure panel with all children optional'), component,
  }
}

function vitalSign (base: Base, sign: Measurement, random: Random): Observation {
  const observation: Observation = { ...base, category: [codes.vitalSigns], code: codes.measured(sign.code, sign.display) }
  return random.chance(0.03)
    ? { ...observation, dataAbsentReason: codes.notDone }
    : { ...observation, valueQuantity: toQuantity(sign, measure(sign, random)) }
}

function laboratoryTest (base: Base, test: Measurement, { endMs }: GeneratedEncounter, random: Random): Observation {
  const value = measure(test, random)
  return {
    ...base,
    category: [codes.laboratory],
    code: codes.measured(test.code, test.display),
    issued: toInstant(endMs + random.integer(600_000, 86_400_000)),
    valueQuantity: toQuantity(test, value),
    interpretation: [
      value < test.low ? codes.interpretations.low : value > test.high ? codes.interpretations.high : codes.interpretations.normal,
    ],
    referenceRange: [{ low: toQuantity(test, test.low), high: toQuantity(test, test.high) }],
  }
}

function smoking (base: Base, random: Random): Observation {
  return {
    ...base, category: [codes.socialHistory], code: codes.measured('72166-2', 'Tobacco smoking status'),
    valueCodeableConcept: random.pick(codes.smokingStatuses),
  }
}

function pick<T> (all: T[], probability: number, random: Random): T[] {
  return all.filter(() => random.chance(probability))
}

function measure ({ low, high, digits }: Measurement, random: Random): number {
  const spread = (high - low) / 4
  return Number((low - spread + random.next() * (high - low + 2 * spread)).toFixed(digits))
}

function toQuantity ({ unit, ucum, digits }: Measurement, value: number): Quantity {
  return { value: toDecimal(value, digits), unit, system: 'http://unitsofmeasure.org', code: ucum }
}

/** A number whose JSON has all of its digits (`72.50`), as laboratories give them: they say how exact it is. */
function toDecimal (value: number, digits: number): number {
  return rawJSON(value.toFixed(digits)) as number
}

/** Not in TypeScript's library yet: https://tc39.es/proposal-json-parse-with-source/ */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }
