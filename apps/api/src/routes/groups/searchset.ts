import type { Bundle } from 'fhir/r4.js'
import type { GroupSearch } from './search.ts'

export interface Page {
  found: Array<{ id: string, json: string }>
  /** Of all pages, where it is known. */
  total: number | undefined
  /** The id before the next page. */
  next: string | undefined
}

/** JSON of http://hl7.org/fhir/R4/bundle.html#searchset. Groups are inserted as text: decimals would lose digits as numbers. */
export function toSearchset (base: string, { criteria, count, after }: GroupSearch, { found, total, next }: Page): string {
  function toUrl (before: string | undefined): string {
    const query = new URLSearchParams()
    for (const { name, value } of criteria) query.append(name, value)
    query.append('_count', String(count))
    if (before !== undefined) query.append('_after', before)
    return `${base}?${query}`
  }
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(total === undefined ? {} : { total }),
    link: [{ relation: 'self', url: toUrl(after) }, ...(next === undefined ? [] : [{ relation: 'next', url: toUrl(next) }])],
  }
  if (found.length === 0) return JSON.stringify(bundle)
  const entries = found.map(({ id, json }) => `{"fullUrl":"${base}/${id}","resource":${json},"search":{"mode":"match"}}`)
  return `${JSON.stringify(bundle).slice(0, -1)},"entry":[${entries.join()}]}`
}
