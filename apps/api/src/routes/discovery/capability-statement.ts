import { searchParameters } from '@fhir-bulk-export/core/filters'
import { exportedTypes } from '@fhir-bulk-export/core/source'
import type { ExportedType } from '@fhir-bulk-export/core/source'
import type { CapabilityStatement, CapabilityStatementRestResource, CapabilityStatementRestResourceOperation, CapabilityStatementRestSecurity } from 'fhir/r4.js'
import { version } from '../../version.ts'

export interface Discovered {
  publicUrl: string
  /** Where clients get their tokens, if the operator says so. */
  tokenEndpoint: string | undefined
}

const bulkData = 'http://hl7.org/fhir/uv/bulkdata'
const bulkDataServer = `${bulkData}/CapabilityStatement/bulk-data`

/** Bulk Data 3.0.0, Server Capability Documentation: SHOULD be said. */
const documentation = [
  'Kick-off by GET and POST. A file holds one type, and is split by size.',
  'Group export with _since: of patients who joined the group since then, older resources come, too.',
  'includeAssociatedData: LatestProvenanceResources, RelevantProvenanceResources.',
].join(' ')

/** Bulk Data 3.0.0, Server Capability Documentation. `startedAt`: since when what it says holds. */
export function toCapabilityStatement ({ publicUrl, tokenEndpoint }: Discovered, startedAt: Date): CapabilityStatement {
  const base = `${publicUrl}/fhir/r4`
  return {
    resourceType: 'CapabilityStatement',
    url: `${base}/metadata`,
    version,
    name: 'FhirBulkExport',
    title: 'FHIR bulk export',
    status: 'active',
    date: startedAt.toISOString(),
    description: 'Exports the data of its source in bulk, as HL7 FHIR Bulk Data Access describes it. There are no other interactions with the exported types.',
    kind: 'instance',
    instantiates: [bulkDataServer],
    software: { name: 'fhir-bulk-export', version },
    implementation: { description: 'FHIR bulk export', url: base },
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [{
      mode: 'server',
      documentation,
      security: toSecurity(tokenEndpoint),
      resource: [...exportedTypes.map(toExportedResource), group],
      operation: [{ name: 'export', definition: `${bulkData}/OperationDefinition/export` }],
    }],
  }
}

/** The parameters are those of _typeFilter. */
function toExportedResource (type: ExportedType): CapabilityStatementRestResource {
  return {
    type,
    searchParam: searchParameters[type].map(({ name, type, documentation }) => ({ name, type, documentation })),
    ...(type === 'Patient' ? { operation: toOperations('patient-export') } : {}),
  }
}

/** It can be read and searched, and is not among what is exported: that is what the extension says. */
const group: CapabilityStatementRestResource = {
  extension: [{ url: `${bulkData}/StructureDefinition/operation-not-supported`, valueCanonical: bulkDataServer }],
  type: 'Group',
  interaction: [{ code: 'read' }, { code: 'search-type' }],
  operation: toOperations('group-export'),
}

/** Clients look for either of the two names. */
function toOperations (name: string): CapabilityStatementRestResourceOperation[] {
  const definition = `${bulkData}/OperationDefinition/${name}`
  return [{ name: 'export', definition }, { name, definition }]
}

/** SMART App Launch: the extension is where clients looked for the endpoint before there was a smart-configuration. */
function toSecurity (tokenEndpoint: string | undefined): CapabilityStatementRestSecurity {
  const description = 'Bearer tokens (JWT) of an ADMIN, or of a PATIENT for their own data; scopes narrow the types.'
  if (tokenEndpoint === undefined) return { description }
  return {
    extension: [{
      url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
      extension: [{ url: 'token', valueUri: tokenEndpoint }],
    }],
    service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR', display: 'SMART-on-FHIR' }] }],
    description,
  }
}
