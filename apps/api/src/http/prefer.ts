/** The names of the preferences in a Prefer header, lower case (RFC 7240: `name[=value][; parameter]`, comma-separated). Node joins repeated headers. */
export function parsePrefer (header: string | string[] | undefined): Set<string> {
  const preferences = [header ?? []].flat().join(',').split(',')
  return new Set(preferences.map((preference) => (preference.split(/[=;]/, 1)[0] ?? '').trim().toLowerCase()))
}
