import { Type } from '@sinclair/typebox'
import { databaseConfig, queueConfig, readArguments, readConfig } from '../config/index.ts'
import { grants, grantTo, migrate } from '../db/index.ts'
import { ServiceError } from '../errors.ts'
import { grantQueue, migrateQueue } from '../queue/index.ts'
import { grantReads, grantReadsOfNew, readSource, toReads } from '../source/index.ts'
import { messageOf, runCommand, withDatabase } from './run-command.ts'

const usage = `usage: migrate [--source] [--api-role <role>] [--worker-role <role>]

Creates or updates the service's tables in DATABASE_URL and, where QUEUE_URL is a postgres:// URL, the queue's.
  --source   also the tables of schema "source", for a site that has none of its own (see packages/core/README.md)
  --api-role, --worker-role   grants these roles what API and worker need, and no more (see docker/README.md: roles)`

await runCommand(usage, run, function withCause (error) {
  return error instanceof Error && error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : messageOf(error)
})

async function run (): Promise<number> {
  const { values } = readArguments({
    options: { source: { type: 'boolean' }, 'api-role': { type: 'string' }, 'worker-role': { type: 'string' } },
  })
  const config = readConfig(Type.Object({ ...databaseConfig, QUEUE_URL: Type.Optional(queueConfig.QUEUE_URL) }), process.env)
  return await withDatabase('migrate', config.DATABASE_URL, async (db) => {
    for (const set of values.source ? ['service', 'source'] as const : ['service'] as const) {
      const applied = await migrate(db, set)
      console.log(`${set}: ${applied.length === 0 ? 'up to date' : applied.join(', ')}`)
    }
    if (config.QUEUE_URL !== undefined) await migrateQueue(config.QUEUE_URL)
    const source = await readSource(db)
    const isThere = source.relations.length > 0
    const left: string[] = []
    for (const [of, role] of [['api', values['api-role']], ['worker', values['worker-role']]] as const) {
      if (role === undefined) continue
      await grantTo(db, role, grants[of])
      if (config.QUEUE_URL !== undefined) await grantQueue(config.QUEUE_URL, role)
      if (isThere) left.push(...await grantReads(db, role, toReads(source)[of]))
      if (isThere && of === 'worker') await grantReadsOfNew(db, role)
      console.log(`granted: ${role}${isThere ? '' : ', but nothing of the source, which is not there yet'}`)
    }
    if (left.length > 0) {
      throw new ServiceError('GRANT_MISSING', `The source is another role's, which has to grant the rest:\n${left.join('\n')}`)
    }
    return 0
  })
}
