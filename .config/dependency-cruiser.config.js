/**
 * No cycle, and which package may import which. Imports of types count. A package is imported by its name: its `exports` are its surface.
 */
const allowed = {
  'apps/api': ['packages/core'],
  'apps/worker': ['packages/core'],
  'packages/core': [],
  'packages/stack': [],
  'packages/bench': ['packages/core', 'packages/stack'],
  'packages/faults': ['packages/core', 'packages/stack'],
}
/** Tests may also use the servers and the generator of stack. */
const allowedInTests = ['packages/stack']

const others = (folder, folders) => ({ path: '^(apps|packages)/', pathNot: [folder, ...folders].map(name => `^${name}/`) })

export default {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unknown', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'by-its-name',
      severity: 'error',
      from: { path: '^((?:apps|packages)/[^/]+)/' },
      to: { path: '^(apps|packages)/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },
    { name: 'core-without-http', severity: 'error', from: { path: '^packages/core/' }, to: { path: 'node_modules/@?fastify' } },
    ...Object.entries(allowed).flatMap(([folder, targets]) => [
      { name: `${folder}-src`, severity: 'error', from: { path: `^${folder}/src/` }, to: others(folder, targets) },
      {
        name: `${folder}-test`,
        severity: 'error',
        from: { path: `^${folder}/test/` },
        to: others(folder, [...targets, ...allowedInTests]),
      },
    ]),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.d.ts'],
    },
  },
}
