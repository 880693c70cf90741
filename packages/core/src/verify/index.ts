export { verifyFile } from './verify-file.ts'
