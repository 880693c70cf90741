import {
  databaseConfig, encryptionConfig, expiryConfig, findEncryptionConflicts, list, logConfig, metricsConfig, origin, publicConfig,
  queueConfig, readConfig, storeConfig, type Environment,
} from '@fhir-bulk-export/core/config'
import { Type, type StaticDecode } from '@sinclair/typebox'
import { toOwnIssuer } from './auth/access-token.ts'

const expectedUrl = 'an https:// URL (http:// for localhost, 127.0.0.1 and [::1] alone)'

const httpConfig = {
  HOST: Type.String({ default: 'localhost', expected: 'a host name or address to listen on' }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3000, expected: 'a port from 0 to 65535' }),
  CORS_ORIGINS: list({
    default: '', pattern: `^(\\s*${origin.replace('#@', '#@,')}\\s*(,|$))*$`,
    expected: 'origins such as https://app.example.org, separated by commas',
  }),
  // For clients alone: this service sends nothing there, so an address of a closed network may do.
  IPFS_GATEWAY_URL: Type.Optional(Type.String({
    pattern: '^https?://[^\\s/?#@]+(/[^\\s/?#]+)*$', expected: 'an http(s):// URL without a slash at its end',
  })),
}

const expectedSecret = 'a secret of at least 32 bytes (openssl rand -base64 48)'

const jwtConfig = {
  JWT_SECRET: Type.Optional(Type.String({ minLength: 32, expected: expectedSecret, isSecret: true })),
  JWKS_URL: Type.Optional(Type.String({ pattern: `^${origin}(/[^\\s#]*)?$`, expected: expectedUrl })),
  JWT_ISSUER: Type.Optional(Type.String({ expected: 'the iss claim that every token must have' })),
  JWT_AUDIENCE: Type.Optional(Type.String({ expected: 'a member of the aud claim that every token must have' })),
  JWT_SUB_IS_PATIENT: Type.Boolean({ default: false, expected: 'true or false' }),
  JWKS_ALLOW_PRIVATE: Type.Boolean({ default: false, expected: 'true or false' }),
  TOKEN_ENDPOINT_URL: Type.Optional(Type.String({ pattern: `^${origin}(/[^\\s#]*)?$`, expected: expectedUrl })),
}

const apiConfig = Type.Object({
  ...databaseConfig,
  ...queueConfig,
  ...storeConfig,
  ...encryptionConfig,
  ...expiryConfig,
  ...publicConfig,
  ...httpConfig,
  ...jwtConfig,
  ...logConfig,
  ...metricsConfig,
  MAX_ACTIVE_EXPORTS: Type.Integer({ minimum: 1, default: 10, expected: 'a whole number from 1' }),
  MAX_KICK_OFFS_PER_MINUTE: Type.Integer({ minimum: 1, maximum: 10_000, default: 60, expected: 'a whole number from 1 to 10000' }),
  MAX_REQUESTS_PER_MINUTE: Type.Integer({ minimum: 1, maximum: 60_000, default: 600, expected: 'a whole number from 1 to 60000' }),
  BULK_DATA_STRICT: Type.Boolean({ default: false, expected: 'true or false' }),
})

export type ApiConfig = Readonly<StaticDecode<typeof apiConfig>>

/** @throws ServiceError CONFIG_INVALID that names every variable that is missing or wrong, and no value. */
export function readApiConfig (environment: Environment): ApiConfig {
  return readConfig(apiConfig, environment, (given, values) => [
    ...findJwtConflicts(given, values), ...findEncryptionConflicts(given, values),
  ])
}

function findJwtConflicts (given: ReadonlySet<string>, { JWT_ISSUER: issuer, PUBLIC_URL: publicUrl }: Record<string, unknown>): string[] {
  if (issuer === toOwnIssuer(String(publicUrl)).issuer) {
    return ['JWT_ISSUER: expected another than this service\'s own, PUBLIC_URL with /auth']
  }
  if (!given.has('JWKS_URL')) return given.has('JWT_SECRET') ? [] : [`JWT_SECRET: is not set; expected ${expectedSecret}, or JWKS_URL`]
  // An issuer signs tokens for other services, too.
  return ['JWT_ISSUER', 'JWT_AUDIENCE'].filter((name) => !given.has(name)).map((name) => `${name}: is not set; expected beside JWKS_URL`)
}
