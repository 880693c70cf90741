import { Type } from '@sinclair/typebox'
import type { StaticDecode } from '@sinclair/typebox'
import { databaseConfig, exportConfig, logConfig, queueConfig, storeConfig } from '@fhir-bulk-export/core/config'

export const configSchema = Type.Object({ ...databaseConfig, ...queueConfig, ...storeConfig, ...exportConfig, ...logConfig })

export type Config = Readonly<StaticDecode<typeof configSchema>>
