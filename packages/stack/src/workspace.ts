import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of a file of the repository. */
export function inRepository (path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url))
}

/** Absolute path of a file that demo and start make: below `.data`, or STACK_DATA where tests must not disturb what is there. */
export function inData (path: string): string {
  return resolve(process.env.STACK_DATA ?? inRepository('.data'), path)
}
