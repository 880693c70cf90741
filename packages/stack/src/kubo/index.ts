export { findKubo, kuboVersion } from './program.ts'
export { initKubo, runKubo, startKubo } from './start.ts'
export type { Kubo } from './start.ts'
