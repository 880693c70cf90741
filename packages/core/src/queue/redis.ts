import { Redis } from 'ioredis'
import { readSentinelUrl, type ConnectionSettings } from './sentinel-url.ts'

export function createRedis (url: string, options: ConnectionSettings): Redis {
  const found = readSentinelUrl(url)
  if (found === undefined) return new Redis(url, options)
  return new Redis({ sentinels: found.sentinels, name: found.name, ...found.options, ...options })
}

/** Whether a sentinel answers, and none that does knows the master's name: a slip, which would be waited for without end. */
export async function isUnknownMaster (url: string, answerMs: number): Promise<boolean> {
  const found = readSentinelUrl(url)
  if (found === undefined) return false
  const { sentinelPassword, sentinelTLS: tls } = found.options
  const access = { ...(sentinelPassword == null ? {} : { password: sentinelPassword }), ...(tls === undefined ? {} : { tls }) }
  const once = { lazyConnect: true, retryStrategy: () => null, connectTimeout: answerMs, commandTimeout: answerMs }
  const answers = await Promise.all(found.sentinels.map(async (address) => {
    const sentinel = new Redis({ ...address, ...access, ...once })
    sentinel.on('error', () => {})
    const answer = await sentinel.call('SENTINEL', 'get-master-addr-by-name', found.name).catch(() => undefined)
    sentinel.disconnect()
    return answer
  }))
  return answers.some((answer) => answer === null) && !answers.some(Array.isArray)
}
