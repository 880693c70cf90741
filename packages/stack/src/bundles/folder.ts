import { inData } from '../workspace.ts'

/** A source's bundle has its path there, and ends in `.mjs`. */
export const bundleFolder = inData('bundles')
