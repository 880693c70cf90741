/** Clients encode `$` as `%24`, which the router would not take for a `$` (RFC 3986, 2.2). */
export function toRoutableUrl (url: string): string {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  return path.replaceAll('%24', '$') + url.slice(path.length)
}

/** Path and query as they were sent. The host of an absolute form (RFC 9112, 3.2.2) is ignored. */
export function toPathAndQuery (url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '')
}
