export { checkResource, type CheckedResource } from './check-resource.ts'
export { copyElement, copyItem, copyObject } from './copier.ts'
export { absent, copied, Cursor, failed, type Status } from './cursor.ts'
export type { Overlay, OverlayEntry } from './overlay.ts'
export {
  compartmentPaths, findElement, getType, isResourceType, isRootElement, mandatoryElements, resourceTypes, rootElements, searchExpressions,
  type ElementNode, type TypeNode,
} from './table.ts'
