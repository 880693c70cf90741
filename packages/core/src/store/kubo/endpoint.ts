export interface KuboEndpoint {
  /** Of the RPC API, with a slash at its end. */
  url: URL
  headers: Record<string, string>
}

/** `http(s)://[user:password@]host:port`, with a path only if the API is not at `/api/v0` (behind a proxy). */
export function toKuboEndpoint (ipfsUrl: string): KuboEndpoint {
  const url = new URL(ipfsUrl)
  if (url.pathname === '/') url.pathname = '/api/v0'
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  const { username, password } = url
  if (username === '' && password === '') return { url, headers: {} }
  // fetch refuses URLs with credentials.
  url.username = ''
  url.password = ''
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  return { url, headers: { Authorization: `Basic ${credentials}` } }
}
