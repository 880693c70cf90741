export { checkResource, type CheckedResource } from './check-resource.ts'
export { absent, copied, Cursor, failed, Input, type PutValue, type Status } from './cursor.ts'
export { Literal } from './literal.ts'
export { copyOverlaid, createOverlaid } from './overlaid.ts'
export { copyRun, no, yes } from './primitives.ts'
export { createStampedCopier, withTypeFirst } from './stamped.ts'
export type { Overlay, OverlayEntry } from './overlay.ts'
export {
  compartmentPaths, findElement, getElement, getType, isResourceType, isRootElement, mandatoryElements, resourceTypes, rootElements,
  searchExpressions, type ElementNode, type TypeNode,
} from './table.ts'
