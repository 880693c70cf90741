import { Type } from '@sinclair/typebox'
import type { StaticDecode } from '@sinclair/typebox'
import { databaseConfig, encryptionConfig, exportConfig, exposureConfig, logConfig, publicConfig, queueConfig, storeConfig } from '@fhir-bulk-export/core/config'

export const configSchema = Type.Object({ ...databaseConfig, ...queueConfig, ...storeConfig, ...encryptionConfig, ...exposureConfig, ...exportConfig, ...logConfig, ...publicConfig })

export type Config = Readonly<StaticDecode<typeof configSchema>>
