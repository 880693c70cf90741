import t from 'tap'
import fc from 'fast-check'
import { ElementError, serializers, type SerializerContext } from '../../src/fhir/index.ts'
import type { Scope } from '../../src/fhir/reading.ts'
import { readConsentRow } from '../../src/load/consent-row.ts'
import { readDocumentReferenceRow } from '../../src/load/document-reference-row.ts'
import { readPatientRow } from '../../src/load/patient-row.ts'
import { readProvenanceRow } from '../../src/load/provenance-row.ts'
import { exportedTypes, type ExportedType } from '../../src/source/index.ts'
import { hostileRows, junk, mark } from '../fixtures/hostile-rows.ts'
import { contextWith } from '../fixtures/rows.ts'
import { findProblems } from '../fixtures/validators.ts'

const runs = Number(process.env.FUZZ_RUNS ?? 500)
const updatedAt = '2024-01-31 09:30:00+00'
const context = contextWith({ attachmentBaseUrls: ['https://files.example.org/'] })

const readers: Record<ExportedType, (resource: unknown, scope: Scope) => object | undefined> = {
  Patient: readPatientRow,
  DocumentReference: readDocumentReferenceRow,
  Consent: readConsentRow,
  Provenance: (resource, scope) => ({ ...readProvenanceRow(resource, scope)?.row, patient_id: 'p-1' }),
}

function load (type: ExportedType, resource: object): object {
  const row = readers[type](resource, { purpose: 'load', attachmentBaseUrls: [], notes: [], depth: 0 })
  return { ...row, updated_at: updatedAt, deleted_at: null }
}

function toResource (type: ExportedType, row: object): object {
  return (serializers[type] as (row: object, context: SerializerContext) => object)(row, context)
}

function attempt<T> (run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof ElementError)) throw error
    if (`${error.path} ${error.problem}`.includes(mark)) throw new Error(`shows content: ${error.path} ${error.problem}`)
    return undefined
  }
}

const copy = (value: object): object => JSON.parse(JSON.stringify(value))

for (const type of exportedTypes) {
  t.test(`a ${type} that was exported can be loaded, and is exported as it was`, async t => {
    fc.assert(fc.property(hostileRows(type), function comesBack (row) {
      const exported = attempt(() => toResource(type, { ...row, updated_at: updatedAt }))
      if (exported === undefined) return
      t.strictSame(toResource(type, load(type, copy(exported))), exported)
    }), { numRuns: runs })
  })

  t.test(`whatever ${type} the loader accepts can be exported`, async t => {
    const places = fc.array(fc.nat(), { minLength: 1, maxLength: 6 })
    let accepted = 0
    fc.assert(fc.property(hostileRows(type), places, junk, function isExported (row, place, thing) {
      const exported = attempt(() => toResource(type, row))
      if (exported === undefined) return
      const given = copy(exported)
      putAt(given as Record<string, unknown>, place, thing)
      const loaded = attempt(() => load(type, given))
      if (loaded === undefined) return
      accepted++
      const problems = findProblems(toResource(type, loaded))
      if (problems.length > 0) throw new Error(problems.join('\n'))
    }), { numRuns: runs })
    t.comment(`${accepted} of ${runs} were accepted`)
    t.not(accepted, 0)
  })
}

/** Puts a thing somewhere into an object: at a member that the numbers lead to, or as a member it does not have. */
function putAt (target: Record<string, unknown>, [number = 0, ...rest]: number[], thing: unknown): void {
  const keys = [...Object.keys(target), 'modifierExtension', 'extension', 'unheard']
  const key = keys[number % keys.length] ?? 'unheard'
  const child = target[key]
  if (rest.length > 0 && typeof child === 'object' && child !== null) putAt(child as Record<string, unknown>, rest, thing)
  else target[key] = thing
}
