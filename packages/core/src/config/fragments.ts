import { Type } from '@sinclair/typebox'
import { sentinelUrlPattern } from '../queue/sentinel-url.ts'
import { duration, keyring } from './units.ts'

/** Settings that several programs share, in fragments. docker/README.md says what they mean. */

export function postgresUrl () {
  const expected = 'a URL such as postgres://user:password@host:5432/database'
  return Type.String({ pattern: '^postgres(ql)?://', expected, isSecret: true })
}

export const databaseConfig = { DATABASE_URL: postgresUrl() }

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
  QUEUE_URL: Type.String({
    pattern: `^(?:(?:rediss?|postgres(?:ql)?)://|${sentinelUrlPattern})`,
    expected: 'a redis://, rediss:// or postgres:// URL, or redis+sentinel://host:26379,host:26379/master',
    isSecret: true,
  }),
}

export const storeConfig = {
  IPFS_URL: Type.String({
    pattern: '^(https?://|file:///)',
    expected: 'the URL of a Kubo RPC API (http://host:5001) or a folder (file:///var/lib/exports)',
    isSecret: true,
  }),
}

/** The worker encrypts files, the API decrypts them: both have it, or neither. */
export const encryptionConfig = {
  EXPORT_ENCRYPTION_KEY: Type.Optional(keyring()),
  ENCRYPTION_REQUIRED: Type.Boolean({ default: false, expected: 'true or false' }),
}

export function findEncryptionConflicts (given: ReadonlySet<string>, { ENCRYPTION_REQUIRED }: Record<string, unknown>): string[] {
  return ENCRYPTION_REQUIRED === true && !given.has('EXPORT_ENCRYPTION_KEY')
    ? ['EXPORT_ENCRYPTION_KEY: is not set; expected because of ENCRYPTION_REQUIRED']
    : []
}

/** The worker ends exports, the API cancels them. */
export const expiryConfig = { EXPORT_TTL: duration({ default: '24h' }) }

/** Off without the port. The address is enough to read metrics, so it is this machine's by default. */
export const metricsConfig = {
  METRICS_PORT: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, expected: 'a port from 1 to 65535' })),
  METRICS_HOST: Type.String({ default: 'localhost', expected: 'a host name or address to listen on' }),
}

export const logConfig = {
  LOG_LEVEL: Type.Union(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) => Type.Literal(level)),
    { default: 'info', expected: 'one of fatal, error, warn, info, debug, trace, silent' }),
}
