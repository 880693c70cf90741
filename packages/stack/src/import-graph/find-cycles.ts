/** Cycles of a directed graph, at least one wherever there are any: walks depth first, each node once, and notes the ways back. */
export function findCycles (graph: Map<string, string[]>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const path: string[] = []

  const visit = (node: string): void => {
    const start = path.indexOf(node)
    if (start !== -1) cycles.push(path.slice(start))
    if (start !== -1 || done.has(node)) return
    path.push(node)
    for (const next of graph.get(node) ?? []) visit(next)
    path.pop()
    done.add(node)
  }

  for (const node of graph.keys()) visit(node)
  return cycles
}
