export { filesAtOnce, loadFiles, type LoadOptions, type LoadProgress } from './load-files.ts'
export type { LoadProblem, LoadReport, TypeCounts } from './report.ts'
