export { checkResource, type CheckedResource } from './check-resource.ts'
export { copyObject, createObject } from './copier.ts'
export { absent, copied, Cursor, failed, Input, type Status } from './cursor.ts'
export { copyRun, no, yes } from './primitives.ts'
export type { Overlay, OverlayEntry } from './overlay.ts'
export {
  compartmentPaths, findElement, getType, isResourceType, isRootElement, mandatoryElements, resourceTypes, rootElements, searchExpressions,
  type ElementNode, type TypeNode,
} from './table.ts'
