import { createRequire } from 'node:module'

/*
 * Runs in each test file's process before it (.taprc). tap has every Node that a test starts load a recorder of what it loads, with source
 * maps: a quarter of the CPU of their start. That is for coverage, which is not collected here; and types are stripped in place, so
 * that lines need no map.
 */

interface ProcessOnSpawn { removeAllListeners: () => void }

const resolveFrom = (from: string, name: string): string => createRequire(from).resolve(name)
const recorder = resolveFrom(resolveFrom(resolveFrom(import.meta.filename, 'tap/package.json'), '@tapjs/core'), '@tapjs/processinfo')
const { removeAllListeners } = createRequire(recorder)('process-on-spawn') as ProcessOnSpawn
removeAllListeners()
process.env.NODE_OPTIONS = (process.env.NODE_OPTIONS ?? '').replace(/"?--import=[^" ]*@tapjs\/processinfo[^" ]*"?/, '')
process.setSourceMapsEnabled(false)
