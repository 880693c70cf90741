/**
 * An attachment's url as a client may follow it with our token: absolute and under one of the bases, relative ones resolved against the
 * first of them; undefined for any other. Compared as URL parsers see it: `..` resolved, no look-alike hosts. Backslashes and credentials
 * are read differently by different parsers.
 */
export function toExportedUrl (url: string, bases: readonly string[]): string | undefined {
  const [first] = bases
  if (first === undefined || url.includes('\\')) return undefined
  const isAbsolute = URL.canParse(url)
  const address = isAbsolute ? URL.parse(url) : URL.parse(url, toFolder(first))
  if (address === null || !/^https?:$/.test(address.protocol) || address.username !== '' || address.password !== '') return undefined
  if (!bases.some((base) => isUnder(address, base))) return undefined
  return isAbsolute ? url : address.href
}

function isUnder (address: URL, base: string): boolean {
  const root = URL.parse(base)
  if (root === null || root.origin !== address.origin) return false
  return address.pathname === root.pathname || address.pathname.startsWith(new URL(toFolder(base)).pathname)
}

function toFolder (base: string): string {
  return base.endsWith('/') ? base : `${base}/`
}
