export { databaseConfig, exportConfig, logConfig, queueConfig, storeConfig } from './fragments.ts'
export { byteSize, duration, list } from './units.ts'
export { readConfig } from './read-config.ts'
export type { Environment } from './read-config.ts'
