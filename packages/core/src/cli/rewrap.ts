import { Type } from '@sinclair/typebox'
import { databaseConfig, keyring, readArguments, readConfig } from '../config/index.ts'
import { assertMigrated, createDatabase } from '../db/index.ts'
import { rewrapKeys } from '../exports/index.ts'

const usage = `usage: rewrap

Wraps the data keys of all files in DATABASE_URL with the first key of EXPORT_ENCRYPTION_KEY; the keys that wrap them now have
to follow it there. Files stay as they are. When it is done, those other keys can be destroyed (see docker/README.md: encryption).
Exit code: 0 no other key is in use any more, 1 some are (they are named), 2 nothing could be done.`

process.exitCode = await run().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return 2
})

async function run (): Promise<number> {
  const { values } = readArguments({ options: { help: { type: 'boolean', short: 'h' } } })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const config = readConfig(Type.Object({ ...databaseConfig, EXPORT_ENCRYPTION_KEY: keyring() }), process.env)
  const [first] = config.EXPORT_ENCRYPTION_KEY
  const db = createDatabase(config.DATABASE_URL, { applicationName: 'fhir-bulk-export-rewrap', max: 1, onError: console.error })
  try {
    await assertMigrated(db)
    const { rewrapped, failed } = await rewrapKeys(db, config.EXPORT_ENCRYPTION_KEY)
    console.log(`${rewrapped} data keys were wrapped with ${first.id}.`)
    for (const [file, keyId] of failed) console.error(`${file}: still under ${keyId}, which is not configured here or is another key`)
    if (failed.size === 0) console.log(`No file needs another key than ${first.id}.`)
    return failed.size === 0 ? 0 : 1
  } finally {
    await db.destroy()
  }
}
