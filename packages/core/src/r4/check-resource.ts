import { copyAnyResource } from './copier.ts'
import { Cursor, failed, Input } from './cursor.ts'
import { findResourceType } from './resource-type.ts'

export type CheckedResource =
  /** The resource without blanks; good until the next one is checked. */
  | { isValid: true, type: string, json: Buffer }
  /** `path` from the resource to the element: `name[0].family`; never content. */
  | { isValid: false, path: string, problem: string }

const cursor = new Cursor()

/** Whether these bytes (UTF-8) are JSON of a FHIR R4 resource: what copier.ts checks. */
export function checkResource (bytes: Buffer): CheckedResource {
  cursor.read(new Input(bytes))
  cursor.to = 0
  cursor.depth = 0
  cursor.path.length = 0
  cursor.reserve(bytes.length)
  cursor.skipBlanks()
  const type = findResourceType(cursor)
  const status = copyAnyResource(cursor)
  if (status !== failed && type !== undefined) {
    cursor.skipBlanks()
    if (cursor.at === bytes.length) return { isValid: true, type, json: cursor.target.subarray(0, cursor.to) }
    cursor.fail('must be JSON')
  }
  return { isValid: false, path: cursor.describePath(), problem: cursor.problem }
}
