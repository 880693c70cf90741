/** What the lines of an export depend on besides their rows; one per attempt. */
export interface LineContext {
  /** Identifier.system of the bare `mrn` column. */
  readonly mrnSystem: string | undefined
  /** Attachment urls in columns are exported only under these; the first one is the base of relative ones. */
  readonly attachmentBaseUrls: readonly string[]
  /** `_elements`, each `element` or `Type.element`; empty: all elements. */
  readonly elements: readonly string[]
}
