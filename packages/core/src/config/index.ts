export { databaseConfig, encryptionConfig, exportConfig, exposureConfig, findEncryptionConflicts, logConfig, queueConfig, storeConfig } from './fragments.ts'
export { byteSize, duration, keyring, list } from './units.ts'
export { readConfig } from './read-config.ts'
export type { Environment } from './read-config.ts'
