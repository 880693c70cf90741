import { toRelation } from '@fhir-bulk-export/core/resources'
import { searchParametersOf } from '@fhir-bulk-export/core/search'
import { findProblems } from '@fhir-bulk-export/core/testing/validators'
import type { CapabilityStatement } from 'fhir/r4.js'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { publicUrl, startApi } from '../fixtures/api.ts'

const metadata = '/fhir/r4/metadata'
const smart = '/fhir/r4/.well-known/smart-configuration'
const tokenEndpoint = 'https://issuer.example.org/token'

const outside = {
  JWT_SECRET: '', JWKS_URL: 'https://issuer.example.org/jwks', JWT_ISSUER: 'https://issuer.example.org', JWT_AUDIENCE: 'bulk',
}

interface Given { environment?: Record<string, string>, extraTypes?: string[] }

async function readStatement (t: Test, { environment = {}, extraTypes = [] }: Given = {}): Promise<CapabilityStatement> {
  const { app, db } = await startApi(t, { environment })
  for (const type of extraTypes) {
    await sql`CREATE TABLE ${sql.id('source', toRelation(type))}
    (id text, updated_at timestamptz, resource jsonb)`.execute(db)
  }
  return (await app.inject({ url: metadata })).json<CapabilityStatement>()
}

t.test('the CapabilityStatement needs no token, and a bad one does not matter', async (t) => {
  const { app } = await startApi(t)
  for (const headers of [{}, { authorization: 'Bearer garbage' }, { accept: 'text/html' }]) {
    const response = await app.inject({ url: metadata, headers })
    t.equal(response.statusCode, 200)
    t.match(response.headers, { 'content-type': /^application\/fhir\+json/ })
    t.match(response.json(), { resourceType: 'CapabilityStatement', kind: 'instance', status: 'active', fhirVersion: '4.0.1' })
    const head = await app.inject({ method: 'HEAD', url: metadata, headers })
    t.match({ code: head.statusCode, body: head.body, length: head.headers['content-length'] }, {
      code: 200, body: '', length: response.headers['content-length'],
    })
  }
})

t.test('it is valid R4, with and without a token endpoint', async (t) => {
  for (const environment of [{}, { TOKEN_ENDPOINT_URL: tokenEndpoint }, outside]) {
    t.strictSame(findProblems(await readStatement(t, { environment, extraTypes: ['Observation', 'Medication'] })), [])
  }
})

t.test('it names bulk data, its operations by either name, the types of the source, and the parameters of _typeFilter', async (t) => {
  const statement = await readStatement(t, { extraTypes: ['Observation', 'Medication'] })
  t.strictSame(statement.instantiates, ['http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data'])
  t.match(statement, {
    implementation: { url: `${publicUrl}/fhir/r4` },
    url: `${publicUrl}/fhir/r4/metadata`,
    software: { name: 'fhir-bulk-export', version: /^\d/ },
  })
  const [rest] = statement.rest ?? []
  t.strictSame(rest?.operation, [{ name: 'export', definition: 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export' }])
  t.strictSame(rest?.resource?.map(({ type }) => type), [
    'Patient', 'Consent', 'DocumentReference', 'Group', 'Medication', 'Observation', 'Provenance',
  ])
  for (const [type, name] of [['Patient', 'patient-export'], ['Group', 'group-export']] as const) {
    const definition = `http://hl7.org/fhir/uv/bulkdata/OperationDefinition/${name}`
    t.strictSame(rest?.resource?.find((resource) => resource.type === type)?.operation, [
      { name: 'export', definition }, { name, definition },
    ])
  }
  const notSupported = 'http://hl7.org/fhir/uv/bulkdata/StructureDefinition/operation-not-supported'
  for (const resource of rest?.resource ?? []) {
    const ofFilter = resource.searchParam?.filter(({ extension = [] }) => !extension.some(({ url }) => url === notSupported))
    t.strictSame(ofFilter?.map(({ name, type }) => ({ name, type })), [...searchParametersOf(resource.type).values()].map(
      ({ name, kind }) => ({ name, type: kind })
    ))
    t.strictSame(
      resource.interaction, resource.type === 'Group' ? [{ code: 'read' }, { code: 'search-type' }] : undefined,
      `${resource.type}: read and searched one by one`
    )
    const ofSearchAlone = resource.searchParam?.filter((parameter) => !(ofFilter ?? []).includes(parameter)).map(({ name }) => name)
    t.strictSame(ofSearchAlone, resource.type === 'Group' ? ['name'] : [])
    if (resource.type === 'Group') t.match(resource.documentation, /_id, identifier, name, _count/)
  }
})

t.test('it names the token endpoint: this service\'s, the configured one, or none for an outside issuer without one', async (t) => {
  const own = await readStatement(t)
  t.match(own.rest?.[0]?.security?.extension, [{ extension: [{ url: 'token', valueUri: `${publicUrl}/auth/token` }] }])
  const without = await readStatement(t, { environment: outside })
  t.notOk(without.rest?.[0]?.security?.extension)
  t.notOk(without.rest?.[0]?.security?.service)
  const withEndpoint = await readStatement(t, { environment: { TOKEN_ENDPOINT_URL: tokenEndpoint } })
  t.match(withEndpoint.rest?.[0]?.security, {
    service: [{ coding: [{ code: 'SMART-on-FHIR' }] }],
    extension: [{
      url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris', extension: [{ url: 'token', valueUri: tokenEndpoint }],
    }],
  })
})

t.test('the SMART configuration: all that SMART Backend Services requires, as JSON whatever is asked for', async (t) => {
  const { app } = await startApi(t, { environment: { TOKEN_ENDPOINT_URL: tokenEndpoint } })
  for (const headers of [{}, { accept: 'application/fhir+json' }]) {
    const response = await app.inject({ url: smart, headers })
    t.equal(response.statusCode, 200)
    t.match(response.headers, { 'content-type': /^application\/json/ })
    t.match(response.json(), {
      token_endpoint: tokenEndpoint,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
      code_challenge_methods_supported: ['S256'],
      capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
    })
    const { scopes_supported: scopes } = response.json()
    for (const scope of ['system/*.rs', 'system/*.read', 'system/Patient.rs', 'patient/Consent.read', 'system/Group.rs']) {
      t.ok(scopes.includes(scope), scope)
    }
  }
  t.equal((await app.inject({ method: 'HEAD', url: smart })).statusCode, 200)
})

t.test('for an outside issuer without a token endpoint that is known there is no SMART configuration, and none of our own', async (t) => {
  const { app } = await startApi(t, { environment: outside })
  t.equal((await app.inject({ method: 'POST', url: '/auth/token' })).statusCode, 404)
  const response = await app.inject({ url: smart })
  t.equal(response.statusCode, 404)
  t.match(response.json(), {
    resourceType: 'OperationOutcome',
    issue: [{ code: 'not-found', details: { coding: [{ code: 'not-found' }] }, diagnostics: /token endpoint/ }],
  })
})

t.test('any other method is 405', async (t) => {
  const { app } = await startApi(t)
  for (const url of [metadata, smart]) {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'] as const) {
      const response = await app.inject({ method, url })
      t.match({ code: response.statusCode, allow: response.headers.allow }, { code: 405, allow: 'GET, HEAD' }, `${method} ${url}`)
    }
  }
})
