import type { RedisOptions } from 'ioredis'

const host = '(?:\\[[0-9A-Fa-f:.]+\\]|[^@/,:?#\\[\\]]+)(?::[0-9]{1,5})?'
/**
 * A Redis that is found by its sentinels: `redis+sentinel://user:password@host:26379,host2:26379/master-name/0`, `rediss+sentinel://` with
 * TLS to both. The password is that of Redis; the sentinels' own is `?sentinel_password=`.
 */
export const sentinelUrlPattern =
  `rediss?\\+sentinel://([^@/?#]*@)?(${host}(?:,${host})*)/([^/?#]+)(?:/([0-9]{1,3}))?(?:\\?sentinel_password=([^&#]+))?$`
const sentinelUrl = new RegExp(`^${sentinelUrlPattern}`)

/** All that ioredis takes. */
export type ConnectionSettings = Omit<RedisOptions, 'replyMapping'>

export interface SentinelAddress { sentinels: Array<{ host: string, port: number }>, name: string, options: ConnectionSettings }

/** Undefined: the URL is that of a Redis itself. */
export function readSentinelUrl (url: string): SentinelAddress | undefined {
  const found = sentinelUrl.exec(url)
  if (found === null) return undefined
  const [, userInfo = '', hosts = '', name = '', db = '0', sentinelPassword] = found
  const [, username = '', password] = /^([^:]*)(?::(.*))?@$/.exec(userInfo) ?? []
  const sentinels = hosts.split(',').map((text) => {
    const [, host = '', port = '26379'] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(text) ?? []
    return { host, port: Number(port) }
  })
  const options: ConnectionSettings = {
    db: Number(db),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === undefined ? {} : { password: decodeURIComponent(password) }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword: decodeURIComponent(sentinelPassword) }),
    ...(url.startsWith('rediss') ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  }
  return { sentinels, name: decodeURIComponent(name), options }
}
