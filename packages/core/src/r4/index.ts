export {
  compartmentPaths, findElement, getType, isResourceType, isRootElement, mandatoryElements, resourceTypes, rootElements,
  type ElementNode, type TypeNode,
} from './table.ts'
