import { quote } from '../../../http/quote.ts'
import type { Refusal } from './refusal.ts'
import type { TypeContext } from './types.ts'
import { toList } from './values.ts'

const latest = 'LatestProvenanceResources'
const relevant = 'RelevantProvenanceResources'

/** Bulk Data 3.0.0, Query Parameters (`includeAssociatedData`): of values that conflict the least restrictive one counts. */
export function parseAssociatedData (values: string[], { sourceTypes }: TypeContext, { refuse }: Refusal): string[] {
  const asked = toList('includeAssociatedData', values)
  for (const value of asked) {
    if (value !== latest && value !== relevant) {
      refuse(`includeAssociatedData: ${quote(value)} is not supported; supported are ${latest}, ${relevant}`)
    }
  }
  if (asked.length > 0 && !sourceTypes.includes('Provenance')) {
    refuse('includeAssociatedData: the source has no Provenance')
    return []
  }
  if (asked.includes(relevant)) return [relevant]
  return asked.includes(latest) ? [latest] : []
}
