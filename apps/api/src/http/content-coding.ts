export type ContentCoding = 'identity' | 'gzip'

/**
 * The coding that an Accept-Encoding header asks for (RFC 9110, 12.5.3): gzip if it is named, or meant by `*`, with a weight of
 * more than zero and no less than that of identity. Anything else, also what refuses both, gets the bytes as they are.
 */
export function selectCoding (header: string | string[] | undefined): ContentCoding {
  const weights = new Map<string, number>()
  for (const member of [header ?? []].flat().join(',').split(',')) {
    const [coding = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase())
    weights.set(coding === 'x-gzip' ? 'gzip' : coding, toWeight(parameters))
  }
  const gzip = weights.get('gzip') ?? weights.get('*') ?? 0
  const identity = weights.get('identity') ?? 0 // not named: acceptable, and not preferred
  return gzip > 0 && gzip >= identity ? 'gzip' : 'identity'
}

/** 0 to 1; one that is malformed counts as a refusal. */
export function toWeight (parameters: string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  if (weight === undefined) return 1
  return /^q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight.slice(2)) : 0
}
