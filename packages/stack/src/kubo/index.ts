export { findKubo, kuboVersion } from './program.ts'
export { initKubo, runKubo, startKubo, type Kubo } from './start.ts'
