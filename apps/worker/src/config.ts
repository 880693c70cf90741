import { Type, type StaticDecode } from '@sinclair/typebox'
import {
  atLeastOneSecond, byteSize, databaseConfig, duration, encryptionConfig, expiryConfig, list, logConfig, metricsConfig, postgresUrl,
  publicConfig, queueConfig, storeConfig,
} from '@fhir-bulk-export/core/config'

export const configSchema = Type.Object({
  ...databaseConfig,
  ...queueConfig,
  ...storeConfig,
  ...encryptionConfig,
  ...expiryConfig,
  ...logConfig,
  ...metricsConfig,
  ...publicConfig,
  AUDIT_RETENTION: duration({
    default: '2192d', // six years
    pattern: '^(3[1-9]|[4-9][0-9]|[1-9][0-9]{2,4})d$',
    expected: 'a number of days, such as 2192d, 31d at least',
  }),
  EXPORT_DATABASE_URL: Type.Optional(postgresUrl()),
  EXPORT_LEASE: atLeastOneSecond({ default: '30s' }), // renewed twice a second
  EXPORT_ATTEMPTS: Type.Integer({ minimum: 1, maximum: 100, default: 3, expected: 'a whole number from 1 to 100' }),
  EXPORT_READERS: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, expected: 'a whole number from 1 to 64' })),
  EXPORT_FILE_BYTES: byteSize({ default: '1GiB' }),
  EXPORT_PART_BYTES: byteSize({ default: '64MiB' }),
  EXPORT_LATE_COMMIT_MARGIN: duration({ default: '1s' }),
  EXPORT_MAX_ATTACHMENT_BYTES: byteSize({ default: '64MiB' }),
  EXPORT_MAX_ROW_ERRORS: Type.Integer({ minimum: 0, default: 10_000, expected: 'a whole number' }),
  WORKER_CONCURRENCY: Type.Integer({ minimum: 1, maximum: 64, default: 3, expected: 'a whole number from 1 to 64' }),
  IPFS_ALLOW_PUBLIC: Type.Boolean({ default: false, expected: 'true or false' }),
  MRN_SYSTEM: Type.Optional(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9+.-]*:\\S+$', expected: 'an absolute URI' })),
  ATTACHMENT_BASE_URLS: list({ default: '' }),
})

export type Config = Readonly<StaticDecode<typeof configSchema>>
