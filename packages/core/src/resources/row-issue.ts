/** Something wrong with a row: where, never what it holds. */
export interface RowIssue {
  readonly severity: 'error' | 'warning'
  readonly type: string
  /** undefined where the row has no usable id */
  readonly id: string | undefined
  /** From the resource to the element: `name[0].family` */
  readonly path: string
  readonly problem: string
}
