import type { ScopeContext } from '@fhir-bulk-export/core/clients'
import { Type, type Static } from '@sinclair/typebox'

const texts = Type.Array(Type.String())

export const smartConfigurationSchema = Type.Object({
  token_endpoint: Type.String(),
  token_endpoint_auth_methods_supported: texts,
  token_endpoint_auth_signing_alg_values_supported: texts,
  grant_types_supported: texts,
  scopes_supported: texts,
  code_challenge_methods_supported: texts,
  capabilities: texts,
}, { title: 'SmartConfiguration' })

/**
 * SMART App Launch 2.2, Conformance, for any token endpoint of SMART Backend Services. `types`: of the source. `contexts`: of the scopes
 * that the endpoint grants.
 */
export function toSmartConfiguration (
  tokenEndpoint: string, types: readonly string[], contexts: readonly ScopeContext[]
): Static<typeof smartConfigurationSchema> {
  return {
    token_endpoint: tokenEndpoint,
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    grant_types_supported: ['client_credentials'],
    scopes_supported: contexts.flatMap((context) => [...new Set(['*', ...types, 'Group'])].flatMap((type) => [
      `${context}/${type}.rs`, `${context}/${type}.read`,
    ])),
    code_challenge_methods_supported: ['S256'], // required, although no code flow leads here
    capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  }
}
