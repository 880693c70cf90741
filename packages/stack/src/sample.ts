import { createHash } from 'node:crypto'

/*
 * What is tested in very many combinations runs whole in `make test-all`, and as a sample in `make test`, another one each time. The
 * seed stands in its output: `make test SEED=<seed>` takes the same again. Without a seed everything runs.
 */

const findSeed = (): string | undefined => process.env.TEST_SAMPLE_SEED

/** `size` of the cases, in their order. `name` makes the samples of different tests independent. */
export function sample<T> (name: string, size: number, cases: readonly T[], seed = findSeed()): T[] {
  if (seed === undefined) return [...cases]
  const ranks = cases.map((_, i) => createHash('sha256').update(`${seed} ${name} ${i}`).digest('hex'))
  const chosen = new Set([...ranks].sort().slice(0, size))
  return cases.filter((_, i) => chosen.has(ranks[i] ?? ''))
}

/** How often a property is tried: `some` times in a sample. */
export function times ({ all, some }: { all: number, some: number }, seed = findSeed()): number {
  return seed === undefined ? all : some
}
