export interface Import {
  /** The importing package: `apps/api`. */
  from: string
  isTest: boolean
  specifier: string
  /** The imported package of this workspace; undefined for any other. */
  target: string | undefined
}

/** Which package may import which, besides itself. */
const arrows: Record<string, string[]> = {
  'apps/api': ['packages/core'],
  'apps/worker': ['packages/core'],
  'packages/core': [],
  'packages/stack': [],
  'packages/bench': ['packages/core', 'packages/stack'],
  'packages/faults': ['packages/core', 'packages/stack'],
}
/** Tests may also use the servers and the generator of stack. */
const testArrows = ['packages/stack']

export function isAllowed ({ from, isTest, specifier, target }: Import): boolean {
  if (target === undefined) return !(from === 'packages/core' && /^@?fastify(\/|-|$)/.test(specifier))
  if (target !== from && specifier.startsWith('.')) return false // another package is imported by its name: its `exports` are its surface
  return target === from || (arrows[from] ?? []).includes(target) || (isTest && testArrows.includes(target))
}
