import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@fhir-bulk-export/core/db'
import type { Random } from '@fhir-bulk-export/stack/random'
import { sql, type Kysely, type Transaction } from 'kysely'
import { insertPatients, moving, movingAtStart, patients, relations } from './data.ts'

const letters = ['p', 'd', 'c', 'e', 'o'] as const
/** Below the time that a transaction may rest (core's connect.ts). */
const longestMs = 2_500

/** How many of the moving patients there are. */
interface Inserted { count: number }

/** Applications that change the source all the time, in transactions that take a while, until the signal aborts. */
export async function write (db: Kysely<Database>, randoms: Random[], signal: AbortSignal): Promise<void> {
  const inserted = { count: movingAtStart }
  await Promise.all(randoms.map(async (random) => {
    while (!signal.aborted) {
      // PostgreSQL is away, or two of us wait for each other.
      await db.transaction().execute(async (trx) => { await change(trx, random, inserted) }).catch(() => {})
      await delay(random.integer(20, 300), undefined, { signal }).catch(() => {})
    }
  }))
}

async function change (trx: Transaction<Database>, random: Random, inserted: Inserted): Promise<void> {
  const what = random.next()
  if (what < 0.4) await raiseVersions(trx, random)
  else if (what < 0.55) await touch(trx, random)
  else if (what < 0.95) await comeOrGo(trx, random, inserted.count)
  else await insertNext(trx, random, inserted)
  // Rows that were stamped long before they are to be seen.
  if (random.chance(0.3)) await delay(random.integer(0, longestMs))
  if (random.chance(0.1)) throw new Error('rolled back')
}

/** A patient's birth order and its document's description say the same, at every instant. */
async function raiseVersions (trx: Transaction<Database>, random: Random): Promise<void> {
  const numbers = pickNumbers(random, 40, patients)
  await sql`UPDATE source.patients SET multiple_birth_order = multiple_birth_order + 1
    WHERE id = ANY(${numbers.map((i) => `p${i}`)})`.execute(trx)
  await sql`UPDATE source.medical_records SET description = 'v' || substr(description, 2)::int + 1
    WHERE id = ANY(${numbers.map((i) => `d${i}`)})`.execute(trx)
}

async function touch (trx: Transaction<Database>, random: Random): Promise<void> {
  const letter = random.pick(['c', 'e', 'o'] as const)
  const ids = pickNumbers(random, 40, patients).map((i) => `${letter}${i}`)
  await sql`UPDATE ${table(letter)} SET updated_at = now() WHERE id = ANY(${ids})`.execute(trx)
}

async function comeOrGo (trx: Transaction<Database>, random: Random, most: number): Promise<void> {
  const letter = random.pick(letters)
  const ids = [random.chance(0.3) ? 1 : 0, ...pickNumbers(random, 8, most)].map((i) => `m${letter}${i}`)
  const deletedAt = random.chance(0.5) ? sql`now()` : sql`NULL`
  await sql`UPDATE ${table(letter)} SET deleted_at = ${deletedAt} WHERE id = ANY(${ids})`.execute(trx)
}

async function insertNext (trx: Transaction<Database>, random: Random, inserted: Inserted): Promise<void> {
  const from = inserted.count + 1
  inserted.count = Math.min(moving, inserted.count + random.integer(1, 5))
  await insertPatients(trx, 'm', from, inserted.count)
}

function pickNumbers (random: Random, most: number, from: number): number[] {
  return Array.from({ length: random.integer(1, most) }, () => random.integer(1, from))
}

function table (letter: keyof typeof relations) {
  return sql.id('source', relations[letter])
}
