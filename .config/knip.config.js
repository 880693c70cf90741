/**
 * Dead code: files, exports and dependencies that nothing uses. Each entry is a program or a test; each exception is used where knip does
 * not look.
 */
export default {
  workspaces: {
    '.': {
      entry: ['.config/*.js'],
      ignoreDependencies: ['@redocly/cli', 'dependency-cruiser', 'node', 'tap'], // the Makefile's, and packages/stack/src/run-tests.ts
    },
    'apps/api': {
      entry: ['src/server.ts', 'src/openapi/cli.ts', 'src/routes/operator/page/main.js', 'test/**/*.test.ts'],
      ignoreDependencies: ['openapi-fetch'], // of the client that a test generates
    },
    'apps/worker': {
      entry: ['src/main.ts', 'src/export/reader-thread.ts', 'test/**/*.test.ts'],
      ignoreBinaries: ['mount', 'umount'],
    },
    'packages/bench': { entry: ['src/*.ts'] },
    'packages/core': {
      entry: ['src/cli/*.ts', 'src/db/{migrations,source-migrations}/*.ts', 'test/**/*.test.ts'],
      ignoreBinaries: ['mount', 'umount'],
      ignoreDependencies: ['@types/fhir'], // the types of 'fhir/r4.js', which knip takes for a part of the package fhir
    },
    'packages/faults': { entry: ['src/soak.ts', 'test/**/*.test.ts'], ignoreBinaries: ['promtool'] },
    'packages/stack': {
      entry: [
        'src/{demo,start,with-stack,run-tests,tap-preload,test-bare}.ts',
        'src/client/{assertion,create-key}.ts', 'src/{generate,r4,schema}/cli.ts',
        'src/kubo/install.ts', 'src/postgres/install-versions.ts', 'test/**/*.test.ts',
      ],
    },
  },
}
