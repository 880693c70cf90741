import { readFile } from 'node:fs/promises'
import dockerignore from '@balena/dockerignore'
import { validate } from 'dockerfile-utils'
import t from 'tap'
import { inRepository } from '../../src/workspace.ts'
import { readExecForm, readStages, textsOf } from './fixtures/dockerfile.ts'

const dockerfile = await readFile(inRepository('docker/Dockerfile'), 'utf8')
const stages = readStages(dockerfile)
const targets = ['api', 'worker', 'migrate']

t.test('the linter finds nothing in the Dockerfile, and would', async t => {
  t.strictSame(validate(dockerfile).map(({ message, range }) => `${range.start.line + 1}: ${message}`), [])
  t.match(validate(dockerfile.replace('USER node', 'USR node').replace('AS api\n', 'AS base\n')), [{}, {}])
})

t.test('it builds on an exact image of the Node that this repository is tested with, and installs by the pnpm that it pins', async t => {
  const lockfile = await readFile(inRepository('pnpm-lock.yaml'), 'utf8')
  const [, node] = /^ {2}node@(\d+\.\d+\.\d+):$/m.exec(lockfile) ?? []
  const bases = stages.map(({ base }) => base).filter(base => !stages.some(({ name }) => name === base))
  t.strictSame(bases, [`node:${node}-bookworm-slim`])
  const { packageManager } = JSON.parse(await readFile(inRepository('package.json'), 'utf8'))
  for (const command of stages.flatMap(stage => textsOf(stage, 'RUN'))) {
    t.ok(command.startsWith(`npx --yes ${packageManager} install --prod --frozen-lockfile --filter-prod `), command)
  }
})

for (const target of targets) {
  t.test(`${target}: not root, started without a shell, sources and packages of its own and no others`, async t => {
    const stage = stages.find(({ name }) => name === target)
    if (stage === undefined) throw new Error('there is no such target')
    t.strictSame(textsOf(stage, 'USER'), ['node'])
    const [entrypoint = ''] = textsOf(stage, 'ENTRYPOINT')
    t.equal(readExecForm(entrypoint)[0], 'node')
    t.equal(textsOf(stage, 'HEALTHCHECK').length, 1)
    t.strictSame(textsOf(stage, 'RUN'), [])
    const sources = target === 'migrate' ? ['packages/core/src'] : ['packages/core/src', `apps/${target}/src`]
    t.strictSame(textsOf(stage, 'COPY'), ['/app ./', ...sources.map(source => `${source} ${source}`)])
  })
}

t.test('the builder sees what the Dockerfile copies, and neither secrets nor tests', async t => {
  const isVisible = dockerignore.default().add(await readFile(inRepository('docker/Dockerfile.dockerignore'), 'utf8')).createFilter()
  const visible = [
    'package.json', 'pnpm-lock.yaml', 'apps/api/package.json', 'apps/api/src/routes/health.ts', 'packages/core/src/db/index.ts',
  ]
  const hidden = ['.env', 'docker/.env', '.git/config', '.data/start/jwt-secret', 'node_modules/node/bin/node', 'apps/api/test/app.test.ts',
    'apps/api/node_modules/pino/package.json', 'packages/core/test/fixtures/rows.ts', 'packages/stack/src/demo.ts',
    'packages/bench/package.json']
  for (const path of visible) t.ok(isVisible(path), path)
  for (const path of hidden) t.notOk(isVisible(path), path)
})
