export interface KuboEndpoint {
  /** Of the RPC API, with a slash at its end. */
  url: URL
  headers: Record<string, string>
}

/**
 * `http(s)://[user:password@]host:port`, with a path only if the API is not at `/api/v0` (behind a proxy). `bearer:token@` is a bearer
 * token, as Kubo's own `AuthSecret` has it (https://github.com/ipfs/kubo/blob/master/docs/config.md#apiauthorizations-authsecret).
 */
export function toKuboEndpoint (ipfsUrl: string): KuboEndpoint {
  const url = new URL(ipfsUrl)
  if (url.pathname === '/') url.pathname = '/api/v0'
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  const { username, password } = url
  if (username === '' && password === '') return { url, headers: {} }
  // fetch refuses URLs with credentials.
  url.username = ''
  url.password = ''
  return { url, headers: { Authorization: toAuthorization(decodeURIComponent(username), decodeURIComponent(password)) } }
}

function toAuthorization (user: string, password: string): string {
  return user === 'bearer' ? `Bearer ${password}` : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}
