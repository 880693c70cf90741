export type { Definition } from './definition.ts'
export { isId } from './id.ts'
export type { LineContext } from './line-context.ts'
export { findResourceType, getDefinition, toRelation } from './registry.ts'
