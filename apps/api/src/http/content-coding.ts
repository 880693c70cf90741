export type ContentCoding = 'identity' | 'gzip'

/**
 * The coding for an Accept-Encoding header (RFC 9110, 12.5.3): gzip if its weight, or that of `*`, is above zero and not below that of
 * identity. Otherwise identity, even where both are refused.
 */
export function selectCoding (header: string | string[] | undefined): ContentCoding {
  const weights = new Map<string, number>()
  for (const member of [header ?? []].flat().join(',').split(',')) {
    const [coding = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase())
    weights.set(coding === 'x-gzip' ? 'gzip' : coding, toWeight(parameters))
  }
  const gzip = weights.get('gzip') ?? weights.get('*') ?? 0
  const identity = weights.get('identity') ?? 0 // acceptable without being named, and not preferred
  return gzip > 0 && gzip >= identity ? 'gzip' : 'identity'
}

/** 0 to 1. A malformed weight counts as 0. */
export function toWeight (parameters: string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  if (weight === undefined) return 1
  return /^q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight.slice(2)) : 0
}
