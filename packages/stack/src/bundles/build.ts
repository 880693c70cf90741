import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { inRepository } from '../workspace.ts'
import { bundleFolder } from './folder.ts'

/*
 * A run of all tests starts an API or a worker some 400 times, and as many threads. Half of what a start costs is to find and link
 * 1,300 modules, so each of these programs becomes one file here, for such a run alone: everything else runs the sources as they are.
 */

const programs = [
  'apps/api/src/server.ts', 'apps/worker/src/main.ts', 'apps/worker/src/export/reader-thread.ts', 'packages/core/src/cli/migrate.ts',
  'packages/core/src/cli/verify.ts',
]

/** They look for files beside their own, or are loaded only where they are needed. */
const apart = /^(fastify|@fastify\/.*|ipfs-http-client|pino|piscina)$/

export async function buildBundles (): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: programs.map(inRepository),
    outbase: inRepository('.'),
    outdir: bundleFolder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: `node${process.versions.node}`,
    plugins: [keepAddresses, keepApart],
    // What packages of CommonJS require of Node itself.
    banner: { js: 'const require = process.getBuiltinModule("module").createRequire(import.meta.url);' },
  })
  await Promise.all(outputFiles.map(async ({ path, contents }) => { await replace(path, contents) }))
}

/** Our sources find files by their own address. */
const keepAddresses: Plugin = {
  name: 'keep-addresses',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/(apps|packages)\/[^/]+\/src\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      const { resolve } = createRequire(path)
      const contents = source
        .replaceAll('import.meta.url', toLiteral(path))
        .replace(/import\.meta\.resolve\('([^']+)'\)/g, (_call, name: string) => toLiteral(resolve(name)))
      return { contents, loader: 'ts' }
    })
  },
}

const keepApart: Plugin = {
  name: 'keep-apart',
  setup: ({ onResolve, resolve }) => {
    onResolve({ filter: apart }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === keepApart) return
      const found = await resolve(path, { kind, resolveDir, pluginData: keepApart })
      return { path: found.path, external: true }
    })
  },
}

/** In one step, since others may be starting it, and only if it is another. */
async function replace (path: string, contents: Uint8Array): Promise<void> {
  const before = await readFile(path).catch(() => undefined)
  if (before?.equals(contents) === true) return
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.${process.pid}`, contents)
  await rename(`${path}.${process.pid}`, path)
}

function toLiteral (path: string): string {
  return JSON.stringify(pathToFileURL(path).href)
}
