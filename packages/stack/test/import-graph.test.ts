import t from 'tap'
import { findViolations } from '../src/import-graph/find-violations.ts'
import { inRepository } from '../src/workspace.ts'

t.test('this repository has no import cycle and no forbidden arrow', async t => {
  t.strictSame(await findViolations(inRepository('.')), [])
})

t.test('what is forbidden is named with the file and what it imports', async t => {
  const root = t.testdir({
    apps: {
      api: {
        src: { 'app.ts': 'import { a } from \'@fhir-bulk-export/core/db\'\nimport(\'../../worker/src/main.ts\')\n' },
        test: { 'app.test.ts': 'import { createTestDatabase } from \'@fhir-bulk-export/stack/testing\'\n' },
      },
      worker: { src: { 'main.ts': 'export { x } from \'@fhir-bulk-export/stack/testing\'\n' } },
    },
    packages: {
      core: { src: { 'db.ts': 'import type { FastifyInstance } from \'fastify\'\nimport plugin from \'fastify-plugin\'\n' } },
      stack: { src: { 'testing.ts': 'import { migrate } from \'@fhir-bulk-export/core/db\'\n' } },
    },
  })
  t.strictSame((await findViolations(root)).sort(), [
    'forbidden: apps/api/src/app.ts imports ../../worker/src/main.ts',
    'forbidden: apps/worker/src/main.ts imports @fhir-bulk-export/stack/testing',
    'forbidden: packages/core/src/db.ts imports fastify',
    'forbidden: packages/core/src/db.ts imports fastify-plugin',
    'forbidden: packages/stack/src/testing.ts imports @fhir-bulk-export/core/db',
  ])
})

t.test('a cycle is shown from its first file back to it', async t => {
  const root = t.testdir({
    packages: {
      core: {
        src: {
          'a.ts': 'import \'./b.ts\'\nimport \'./leaf.ts\'\n',
          'b.ts': 'import type { C } from \'./c/c.ts\'\n',
          c: { 'c.ts': 'export * from \'../a.ts\'\n' },
          'leaf.ts': '',
        },
      },
    },
  })
  t.strictSame(await findViolations(root), ['cycle: packages/core/src/a.ts → packages/core/src/b.ts → packages/core/src/c/c.ts → packages/core/src/a.ts'])
})
