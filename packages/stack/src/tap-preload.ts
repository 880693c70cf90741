import childProcess from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'

/*
 * Runs in tap's process before it (run-tests.ts). tap starts each test file with hooks into the loading of modules (for mocks, and a
 * recorder for coverage, which is in each process that a test starts, too) and with source maps: more CPU than what a small file tests.
 * Nothing here is mocked, coverage is not collected, and types are stripped in place, so that lines need no map.
 */

const { spawn } = childProcess
const isWanted = (argument: string): boolean => argument !== '--enable-source-maps' && !/^--import=.*@tapjs/.test(argument)

const { NODE_OPTIONS } = process.env

childProcess.spawn = ((file: string, args: readonly string[], { env, ...options }: childProcess.SpawnOptions) =>
  spawn(file, args.filter(isWanted), { ...options, env: { ...env, NODE_OPTIONS } })) as typeof spawn
syncBuiltinESMExports()
