import { checkResource, isResourceType } from '../r4/index.ts'
import { findString, findValues, NotJsonError, type Span } from './json-spans.ts'
import type { Text } from './read-files.ts'
import { idOf, toRow, type Row, type Surroundings } from './to-row.ts'

/** A resource as it is to be stored, or why it is not; never with its content. */
export type Found = { readonly line: number, readonly type: string } & ({ readonly row: Row } | { readonly problem: string })

const noBundle: Surroundings = { fullUrl: undefined, patients: new Map() }

/** The resource of a line; of a whole file also those of a Bundle. */
export function * findResources (text: Text, isFile: boolean): Generator<Found> {
  const { line } = text
  if ('problem' in text) return yield { line, type: 'unknown', problem: text.problem }
  const { bytes } = text
  try {
    const type = findString(bytes, 0, ['resourceType'])
    if (!isFile || type !== 'Bundle') return yield toFound(line, bytes, type, '', noBundle)
    yield * findEntries(bytes)
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error
    yield { line, type: 'unknown', problem: 'is not JSON' }
  }
}

function * findEntries (bytes: Buffer): Generator<Found> {
  const patients = new Map<string, string>()
  for (const { start } of findValues(bytes, 0, ['entry'])) {
    const fullUrl = findString(bytes, start, ['fullUrl'])
    const [resource] = findValues(bytes, start, ['resource'])
    if (fullUrl === undefined || resource === undefined || findString(bytes, resource.start, ['resourceType']) !== 'Patient') continue
    const checked = checkResource(slice(bytes, resource))
    patients.set(fullUrl, idOf(checked.isValid ? checked.json : slice(bytes, resource), fullUrl))
  }
  let [index, line, counted] = [0, 1, 0]
  for (const { start } of findValues(bytes, 0, ['entry'])) {
    const [resource] = findValues(bytes, start, ['resource'])
    const entry = `entry[${index++}].resource`
    if (resource === undefined) continue
    for (; counted < resource.start; counted++) if (bytes[counted] === 0x0a) line++
    const json = slice(bytes, resource)
    yield toFound(line, json, findString(json, 0, ['resourceType']), entry, { fullUrl: findString(bytes, start, ['fullUrl']), patients })
  }
}

function toFound (line: number, bytes: Buffer, type: string | undefined, entry: string, surroundings: Surroundings): Found {
  const checked = checkResource(bytes)
  if (checked.isValid) return { line, type: checked.type, row: toRow(checked.type, Buffer.from(checked.json), surroundings) }
  const known = type !== undefined && isResourceType(type) ? type : 'unknown'
  const { path, problem } = checked
  const from = entry === '' ? known : `Bundle.${entry}`
  return { line, type: known, problem: `${from === 'unknown' ? 'resource' : from}${path === '' ? '' : '.'}${path} ${problem}` }
}

function slice (bytes: Buffer, { start, end }: Span): Buffer {
  return bytes.subarray(start, end)
}
