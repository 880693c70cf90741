import { databaseConfig, encryptionConfig, exportConfig, logConfig, queueConfig, storeConfig } from '@fhir-bulk-export/core/config'
import { Type } from '@sinclair/typebox'
import type { StaticDecode } from '@sinclair/typebox'

const httpConfig = {
  HOST: Type.String({ default: 'localhost', expected: 'a host name or address to listen on' }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3000, expected: 'a port from 0 to 65535' }),
  // Tokens travel to these addresses: in the clear only where they do not leave the machine.
  PUBLIC_URL: Type.String({
    pattern: '^(https://[^\\s/?#@]+|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]{1,5})?)(/[^\\s/?#]+)*$',
    default: 'http://localhost:3000',
    expected: 'an https:// URL without a slash at its end (http:// for localhost, 127.0.0.1 and [::1] alone)',
  }),
}

const jwtConfig = {
  JWT_SECRET: Type.String({ minLength: 32, expected: 'a secret of at least 32 bytes (openssl rand -base64 48)' }),
  JWT_ISSUER: Type.Optional(Type.String({ expected: 'the iss claim that every token must have' })),
  JWT_AUDIENCE: Type.Optional(Type.String({ expected: 'a member of the aud claim that every token must have' })),
  JWT_SUB_IS_PATIENT: Type.Boolean({ default: false, expected: 'true or false' }),
}

export const apiConfig = Type.Object({
  ...databaseConfig,
  ...queueConfig,
  ...storeConfig,
  ...encryptionConfig,
  ...httpConfig,
  ...jwtConfig,
  ...logConfig,
  EXPORT_TTL: exportConfig.EXPORT_TTL,
  MAX_ACTIVE_EXPORTS: Type.Integer({ minimum: 1, default: 10, expected: 'a whole number from 1' }),
})

export type ApiConfig = Readonly<StaticDecode<typeof apiConfig>>
