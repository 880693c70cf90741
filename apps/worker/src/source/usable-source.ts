import { ServiceError } from '@fhir-bulk-export/core/errors'
import { toRelation } from '@fhir-bulk-export/core/resources'
import { readSource, type Source } from '@fhir-bulk-export/core/source'

/**
 * The source as the database has it now.
 * @throws ServiceError SOURCE_MISMATCH where an export of these types would hold less than everything.
 */
export async function readUsableSource (db: Parameters<typeof readSource>[0], types: readonly string[] = []): Promise<Source> {
  const source = await readSource(db)
  const missing = types.filter((type) => !source.relations.some((relation) => relation.type === type))
  const problems = [...source.problems, ...missing.map((type) => `source.${toRelation(type)} is missing`)]
  if (problems.length > 0) throw new ServiceError('SOURCE_MISMATCH', `The source cannot be exported:\n${problems.join('\n')}`)
  return source
}
