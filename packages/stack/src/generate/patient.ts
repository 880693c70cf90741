import type { Address, ContactPoint, HumanName, Identifier, Patient, PatientContact, PatientLink } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { randomTime, toDate, toDateTime, toPartialDate, dayMs, todayMs } from './dates.ts'
import { createRandom, type Random } from './random.ts'
import { organization, practitioner } from './references.ts'
import { toColumn } from './rows.ts'
import { people, places, prefixes, suffixes } from './vocabulary.ts'

type Gender = NonNullable<Patient['gender']>
type People = (typeof people)[number]

/** The first thing drawn from a patient's stream, so that one patient can refer to another without making it. */
export function patientId (seed: number, index: number): string {
  return createRandom(seed, index).uuid()
}

/** A row of source.patients; null: an empty column. */
export type PatientRow = ReturnType<typeof generateRow>

export interface GeneratedPatient {
  patient: PatientRow
  bornMs: number
  /** End of the records: death or today. */
  lastSeenMs: number
}

export function generatePatient (seed: number, index: number, random: Random): GeneratedPatient {
  const id = random.uuid()
  const bornMs = randomTime(random, Date.UTC(1931, 0, 1), todayMs - 30 * dayMs)
  const diedMs = random.maybe(0.08, () => randomTime(random, bornMs, todayMs))
  return { patient: generateRow({ id, seed, index, bornMs, diedMs }, random), bornMs, lastSeenMs: diedMs ?? todayMs }
}

interface Life { id: string, seed: number, index: number, bornMs: number, diedMs: number | null }

function generateRow ({ id, seed, index, bornMs, diedMs }: Life, random: Random) {
  const origin = random.pick(people)
  const gender = random.pick<Gender>(['female', 'female', 'female', 'male', 'male', 'male', 'other', 'unknown'])
  const isDateOfDeathKnown = random.chance(0.8)
  const isTwin = random.chance(0.03)
  return {
    id,
    active: random.maybe(0.8, () => random.chance(0.95)),
    mrn: random.maybe(0.9, () => `MRN-${String(index).padStart(8, '0')}`),
    identifier: toColumn(identifiers(random)),
    name: names(random, origin, gender),
    telecom: random.maybe(0.85, () => telecoms(random)),
    gender: random.maybe(0.97, () => gender),
    birth_date: random.maybe(0.98, () => random.chance(0.95) ? toDate(bornMs) : toPartialDate(bornMs, random)),
    deceased: diedMs === null ? random.maybe(0.1, () => false) : isDateOfDeathKnown ? null : true,
    deceased_date_time: diedMs === null || !isDateOfDeathKnown
      ? null
      : random.chance(0.5) ? toPartialDate(diedMs, random) : toDateTime(diedMs, random),
    address: random.maybe(0.95, () => addresses(random)),
    marital_status: random.maybe(0.7, () => random.pick(codes.maritalStatuses)),
    multiple_birth: isTwin ? null : random.maybe(0.1, () => random.chance(0.1)),
    multiple_birth_order: isTwin ? random.integer(1, 3) : null,
    contact: random.maybe(0.4, () => contacts(random, origin)),
    communication: random.maybe(0.6, () => communication(random, origin)),
    general_practitioner: random.maybe(0.5, () => [practitioner(random)]),
    managing_organization: random.maybe(0.6, () => organization(random)),
    link: index === 0 ? null : random.maybe(0.02, () => link(seed, index, random)),
  }
}

function link (seed: number, index: number, random: Random): PatientLink[] {
  const other = { reference: `Patient/${patientId(seed, random.integer(0, index - 1))}` }
  return [{ other, type: random.pick(['seealso', 'replaces', 'refer'] as const) }]
}

function identifiers (random: Random): Identifier[] {
  const all: Identifier[] = []
  // Area number 999 was never given to a person.
  if (random.chance(0.6)) {
    all.push({
      type: codes.socialSecurityNumber, system: 'http://hl7.org/fhir/sid/us-ssn',
      value: `999-${random.integer(10, 99)}-${random.integer(1000, 9999)}`,
    })
  }
  if (random.chance(0.3)) {
    all.push({ type: codes.driversLicense, system: 'urn:oid:2.16.840.1.113883.4.3.25', value: `S999${random.integer(10_000, 99_999)}` })
  }
  if (random.chance(0.1)) {
    const issuedMs = randomTime(random, todayMs - 3_000 * dayMs, todayMs)
    all.push({
      use: 'official',
      type: codes.passportNumber,
      system: 'http://hl7.org/fhir/sid/passport-DEU',
      value: `X${random.integer(10_000_000, 99_999_999)}X`,
      period: { start: toDate(issuedMs), end: toDate(issuedMs + 3_652 * dayMs) },
      assigner: { display: 'Stadt Köln' },
    })
  }
  if (random.chance(0.05)) all.push({ use: 'old', system: 'https://example.org/legacy', value: `${random.integer(1, 99_999)}` })
  return all
}

function names (random: Random, { given, family }: People, gender: Gender): HumanName[] {
  const pool: readonly string[] = given[gender === 'male' ? 'male' : 'female']
  const official: HumanName = { use: 'official', family: random.pick<string>(family), given: [random.pick(pool)] }
  if (random.chance(0.3)) official.given?.push(random.pick(pool))
  if (random.chance(0.2)) official.prefix = [random.pick(prefixes)]
  if (random.chance(0.05)) official.suffix = [random.pick(suffixes)]
  if (random.chance(0.2)) official.text = `${official.given?.join(' ')} ${official.family}`
  const all = [official]
  if (random.chance(0.12)) {
    all.push({
      use: 'maiden', family: random.pick<string>(family), given: [random.pick(pool)], period: { end: `${random.integer(1960, 2020)}` },
    })
  }
  if (random.chance(0.08)) all.push({ use: 'nickname', given: [random.pick(pool)] })
  return all
}

function telecoms (random: Random): ContactPoint[] {
  const phone = (): string => `555-${random.integer(100, 999)}-${random.integer(1000, 9999)}`
  const all: ContactPoint[] = [{ system: 'phone', value: phone(), use: 'home' }]
  if (random.chance(0.5)) all.push({ system: 'phone', value: phone(), use: 'mobile', rank: 1 })
  if (random.chance(0.4)) all.push({ system: 'email', value: `patient${random.integer(1, 999_999)}@example.org` })
  if (random.chance(0.05)) all.push({ system: 'phone', value: phone(), use: 'old', period: { end: '2018-06' } })
  return all
}

function addresses (random: Random): Address[] {
  const { streets, ...place } = random.pick(places)
  const address: Address = { use: 'home', line: [`${random.integer(1, 999)} ${random.pick<string>(streets)}`], ...place }
  if (random.chance(0.3)) address.line?.push(`Apt ${random.integer(1, 99)}`)
  if (random.chance(0.3)) address.type = 'both'
  if (random.chance(0.2)) address.text = `${address.line?.join(', ')}, ${address.city}`
  if (random.chance(0.2)) address.period = { start: `${random.integer(1990, 2024)}-0${random.integer(1, 9)}` }
  return random.chance(0.06) ? [address, { use: 'temp', city: 'Olathe', state: 'KS', country: 'US' }] : [address]
}

function contacts (random: Random, origin: People): PatientContact[] {
  const contact: PatientContact = {
    relationship: [random.pick(codes.relationships)],
    name: { family: random.pick<string>(origin.family), given: [random.pick<string>(origin.given.female)] }, gender: 'female',
  }
  if (random.chance(0.7)) contact.telecom = telecoms(random)
  if (random.chance(0.2)) contact.address = addresses(random)[0] as Address
  if (random.chance(0.1)) contact.period = { start: '2015', end: '2030-12-31' }
  return random.chance(0.1)
    ? [
        contact,
        {
          relationship: [codes.relationships[2] as NonNullable<PatientContact['relationship']>[number]],
          organization: organization(random),
        },
      ]
    : [contact]
}

function communication (random: Random, { language }: People): NonNullable<Patient['communication']> {
  const native = { language: codes.languages[language] ?? { text: language }, preferred: true }
  return language !== 'en' && random.chance(0.5)
    ? [native, { language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en', display: 'English' }] } }]
    : [native]
}
