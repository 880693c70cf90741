export { forgetExpiredAssertions, useAssertion } from './assertions.ts'
export {
  addClient, disableClient, findClient, findClients, findStanding, isClientId, rotateClient, type ClientKeys, type ClientStanding,
} from './clients.ts'
export { minRsaBits, parseKeySet } from './keys.ts'
export { parseResourceScope, toClientScopes, type ResourceScope, type ScopeContext } from './scopes.ts'
