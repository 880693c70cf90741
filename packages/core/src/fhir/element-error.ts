/**
 * A value that cannot be a FHIR element. `path` leads from the resource to the element (`name[0].family`), `problem`
 * says what is wrong with it ("must be a string"). Neither ever holds the value: this is health data.
 */
export class ElementError extends Error {
  override readonly name = 'ElementError'
  readonly problem: string
  path: string

  constructor (problem: string, path = '') {
    super(problem)
    this.problem = problem
    this.path = path
  }
}

/** `join('name', '[0].family')` → `name[0].family` */
export function join (parent: string, child: string): string {
  return child === '' || parent === '' || child.startsWith('[') ? parent + child : `${parent}.${child}`
}

/** Readers keep no path: an error gathers it while it unwinds, so that rows without errors pay nothing. */
export function within (error: unknown, element: string): unknown {
  if (error instanceof ElementError) error.path = join(element, error.path)
  return error
}
