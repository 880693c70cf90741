import { splitHeader, unquote } from './header-list.ts'

/**
 * The preferences of a Prefer header by name, in lower case, with their values ('' without one). RFC 7240: a comma-separated list of
 * `name[=value][; parameter]`; the first of equal names counts. Node joins repeated headers.
 */
export function parsePrefer (header: string | string[] | undefined): Map<string, string> {
  const preferences = new Map<string, string>()
  for (const member of splitHeader([header ?? []].flat().join(','), ',')) {
    const [preference = ''] = splitHeader(member, ';')
    const [name = '', ...value] = preference.split('=')
    const key = name.trim().toLowerCase()
    if (key !== '' && !preferences.has(key)) preferences.set(key, unquote(value.join('=').trim()))
  }
  return preferences
}
