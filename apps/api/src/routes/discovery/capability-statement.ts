import { toFhirBase } from '@fhir-bulk-export/core/fhir-base'
import { groupSearchParameters, searchParametersOf } from '@fhir-bulk-export/core/search'
import type {
  CapabilityStatement, CapabilityStatementRestResource, CapabilityStatementRestResourceOperation,
  CapabilityStatementRestResourceSearchParam, CapabilityStatementRestSecurity,
} from 'fhir/r4.js'
import { version } from '../../version.ts'

export interface Discovered {
  publicUrl: string
  /** Our own or a configured one. Undefined: not known here. */
  tokenEndpoint: string | undefined
  types: readonly string[]
}

const bulkData = 'http://hl7.org/fhir/uv/bulkdata'
const bulkDataServer = `${bulkData}/CapabilityStatement/bulk-data`

/** Bulk Data 3.0.0, Server Capability Documentation: SHOULD be said. */
const documentation = [
  'Kick-off by GET and POST. A file holds one type, and is split by size.',
  'Group export with _since: of patients who joined the group since then, older resources come, too.',
  'includeAssociatedData: LatestProvenanceResources, RelevantProvenanceResources.',
].join(' ')

/** Bulk Data 3.0.0, Server Capability Documentation. `since`: its date. */
export function toCapabilityStatement ({ publicUrl, tokenEndpoint, types }: Discovered, since: Date): CapabilityStatement {
  const base = toFhirBase(publicUrl)
  return {
    resourceType: 'CapabilityStatement',
    url: `${base}/metadata`,
    version,
    name: 'FhirBulkExport',
    title: 'FHIR bulk export',
    status: 'active',
    date: since.toISOString(),
    description: 'Exports the data of its source in bulk, as HL7 FHIR Bulk Data Access describes it. ' +
      'Groups can be read and searched, too; there are no other interactions.',
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
      resource: types.map(toExportedResource),
      operation: [{ name: 'export', definition: `${bulkData}/OperationDefinition/export` }],
    }],
  }
}

function toExportedResource (type: string): CapabilityStatementRestResource {
  return { type: type as CapabilityStatementRestResource['type'], ...special[type], searchParam: toSearchParams(type) }
}

/** The parameters of _typeFilter. For Group also those of its search alone, which are marked as such. */
function toSearchParams (type: string): CapabilityStatementRestResourceSearchParam[] {
  const ofFilter = searchParametersOf(type)
  const own = type === 'Group' ? [...groupSearchParameters.values()].filter(({ name }) => !ofFilter.has(name)) : []
  return [
    ...[...ofFilter.values()].map(({ name, kind }) => ({ name, type: kind })),
    ...own.map(({ name, kind }) => ({
      extension: [{ url: `${bulkData}/StructureDefinition/operation-not-supported`, valueCanonical: bulkDataServer }], name, type: kind,
    })),
  ]
}

/** Types with endpoints of their own. */
const special: Record<string, Omit<CapabilityStatementRestResource, 'type'>> = {
  Patient: { operation: toOperations('patient-export') },
  Group: {
    interaction: [{ code: 'read' }, { code: 'search-type' }], documentation: `Search, also by POST _search: ${[
    ...groupSearchParameters.keys(), '_count',
  ].join(', ')}. The other parameters are for _typeFilter alone.`, operation: toOperations('group-export')
  },
}

/** Clients look for either of the two names. */
function toOperations (name: string): CapabilityStatementRestResourceOperation[] {
  const definition = `${bulkData}/OperationDefinition/${name}`
  return [{ name: 'export', definition }, { name, definition }]
}

/** SMART App Launch: older clients look for the token endpoint in this extension. */
function toSecurity (tokenEndpoint: string | undefined): CapabilityStatementRestSecurity {
  const description = 'Bearer tokens (JWT) of an ADMIN, or of a PATIENT for their own data; scopes narrow the types.'
  if (tokenEndpoint === undefined) return { description }
  return {
    extension: [{
      url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
      extension: [{ url: 'token', valueUri: tokenEndpoint }],
    }],
    service: [{
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR', display: 'SMART-on-FHIR' },
      ]
    }],
    description,
  }
}
