import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { inRepository } from '../workspace.ts'
import { bundleFolder } from './folder.ts'

/* `node --import run.ts <source>`: its bundle where there is one, and so in the threads that it starts. */

const root = pathToFileURL(inRepository('.')).href

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context)
    if (!resolved.url.startsWith(root) || !resolved.url.endsWith('.ts')) return resolved
    const bundle = pathToFileURL(`${bundleFolder}/${resolved.url.slice(root.length).replace(/ts$/, 'mjs')}`)
    return existsSync(bundle) ? { url: bundle.href, format: 'module', shortCircuit: true } : resolved
  },
})
