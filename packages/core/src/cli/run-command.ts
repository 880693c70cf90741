import type { Kysely } from 'kysely'
import { createDatabase, type Database } from '../db/index.ts'

/** Sets the exit code: that of `run`, or 2 after an error, whose message is printed. `--help` prints the usage alone. */
export async function runCommand (usage: string, run: () => Promise<number>, toMessage = messageOf): Promise<void> {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage)
    return
  }
  process.exitCode = await run().catch((error: unknown) => {
    console.error(toMessage(error))
    return 2
  })
}

export function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** `name`: of the command, for its session in PostgreSQL. */
export async function withDatabase<T> (name: string, url: string, work: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  const db = createDatabase(url, { applicationName: `fhir-bulk-export-${name}`, max: 1, onError: console.error })
  try {
    return await work(db)
  } finally {
    await db.destroy()
  }
}
