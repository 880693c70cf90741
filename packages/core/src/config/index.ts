export {
  databaseConfig, encryptionConfig, expiryConfig, findEncryptionConflicts, logConfig, metricsConfig, origin, postgresUrl,
  publicConfig, queueConfig, storeConfig,
} from './fragments.ts'
export { atLeastOneSecond, byteSize, duration, keyring, list } from './units.ts'
export { readArguments } from './read-arguments.ts'
export { readConfig, type Environment } from './read-config.ts'
