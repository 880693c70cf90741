import { inRepository } from '../workspace.ts'
import { findViolations } from './find-violations.ts'

const violations = await findViolations(inRepository('.'))
for (const violation of violations) console.error(violation)
console.log(violations.length === 0 ? 'import graph: no cycle, no forbidden arrow' : `import graph: ${violations.length} violations`)
process.exitCode = violations.length === 0 ? 0 : 1
