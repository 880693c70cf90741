import { Type } from '@sinclair/typebox'
import type { StaticDecode } from '@sinclair/typebox'
import { auditConfig, databaseConfig, encryptionConfig, exportConfig, exposureConfig, logConfig, publicConfig, queueConfig, storeConfig } from '@fhir-bulk-export/core/config'

export const configSchema = Type.Object({ ...databaseConfig, ...queueConfig, ...storeConfig, ...encryptionConfig, ...exposureConfig, ...exportConfig, ...logConfig, ...publicConfig, ...auditConfig })

export type Config = Readonly<StaticDecode<typeof configSchema>>
