import { Type } from '@sinclair/typebox'
import { atLeastOneSecond, byteSize, duration, keyring, list } from './units.ts'

/** The environment, in fragments that each app merges as it needs them. What the variables mean stands in docker/README.md. */

export const databaseConfig = {
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://', expected: 'a URL such as postgres://user:password@host:5432/database', isSecret: true }),
}

/** Tokens, and the keys that verify them, travel to these addresses: in the clear only where they do not leave the machine. */
export const origin = '(https://[^\\s/?#@]+|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]{1,5})?)'

/** All absolute URLs are made of it: the API's, and those in files. */
export const publicConfig = {
  PUBLIC_URL: Type.String({
    pattern: `^${origin}(/[^\\s/?#]+)*$`,
    default: 'http://localhost:3000',
    expected: 'an https:// URL without a slash at its end (http:// for localhost, 127.0.0.1 and [::1] alone)',
  }),
}

export const queueConfig = {
  QUEUE_URL: Type.String({ pattern: '^(rediss?|postgres(ql)?)://', expected: 'a redis://, rediss:// or postgres:// URL', isSecret: true }),
}

export const storeConfig = {
  IPFS_URL: Type.String({ pattern: '^(https?://|file:///)', expected: 'the URL of a Kubo RPC API (http://host:5001) or a folder (file:///var/lib/exports)', isSecret: true }),
}

/** The worker encrypts files, the API decrypts them: both have it, or neither. */
export const encryptionConfig = {
  EXPORT_ENCRYPTION_KEY: Type.Optional(keyring()),
  ENCRYPTION_REQUIRED: Type.Boolean({ default: false, expected: 'true or false' }),
}

export function findEncryptionConflicts (given: ReadonlySet<string>, { ENCRYPTION_REQUIRED }: Record<string, unknown>): string[] {
  return ENCRYPTION_REQUIRED === true && !given.has('EXPORT_ENCRYPTION_KEY') ? ['EXPORT_ENCRYPTION_KEY: is not set; expected because of ENCRYPTION_REQUIRED'] : []
}

/** Read by the worker, before its first export. */
export const exposureConfig = {
  IPFS_ALLOW_PUBLIC: Type.Boolean({ default: false, expected: 'true or false' }),
}

/** Of the worker, which keeps the audit. */
export const auditConfig = {
  AUDIT_RETENTION: duration({ default: '2192d', pattern: '^(3[1-9]|[4-9][0-9]|[1-9][0-9]{2,4})d$', expected: 'a number of days, such as 2192d, 31d at least' }), // six years
}

export const exportConfig = {
  EXPORT_TTL: duration({ default: '24h' }),
  EXPORT_LEASE: atLeastOneSecond({ default: '30s' }), // renewed twice a second
  EXPORT_ATTEMPTS: Type.Integer({ minimum: 1, maximum: 100, default: 3, expected: 'a whole number from 1 to 100' }),
  EXPORT_READERS: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, expected: 'a whole number from 1 to 64' })),
  EXPORT_FILE_BYTES: byteSize({ default: '1GiB' }),
  EXPORT_LATE_COMMIT_MARGIN: duration({ default: '1s' }),
  EXPORT_MAX_ATTACHMENT_BYTES: byteSize({ default: '64MiB' }),
  EXPORT_MAX_ROW_ERRORS: Type.Integer({ minimum: 0, default: 10_000, expected: 'a whole number' }),
  WORKER_CONCURRENCY: Type.Integer({ minimum: 1, maximum: 64, default: 2, expected: 'a whole number from 1 to 64' }),
  MRN_SYSTEM: Type.Optional(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9+.-]*:\\S+$', expected: 'an absolute URI' })),
  ATTACHMENT_BASE_URLS: list({ default: '' }),
}

export const logConfig = {
  LOG_LEVEL: Type.Union(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) => Type.Literal(level)),
    { default: 'info', expected: 'one of fatal, error, warn, info, debug, trace, silent' }),
}
