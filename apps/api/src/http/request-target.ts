/** `%24` is a `$` here, for clients that encode it (RFC 3986, 2.2 keeps the two apart, and so does the router). */
export function toRoutableUrl (url: string): string {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  return path.replaceAll('%24', '$') + url.slice(path.length)
}

/** Path and query as they were sent; a proxy may send the absolute form (RFC 9112, 3.2.2), whose host we take no notice of. */
export function toPathAndQuery (url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '')
}
