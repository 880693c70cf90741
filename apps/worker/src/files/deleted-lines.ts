import { isId } from '@fhir-bulk-export/core/resources'
import type { Bundle, BundleEntry } from 'fhir/r4.js'
import { readRows, toText } from './rows.ts'
import type { Lines } from './write-file.ts'

/** Entries of a line: few enough for a client to apply one as a transaction. */
const bundleEntries = 500

/** Bulk Data 3.0.0, Response - Complete Status, `deleted`: transaction Bundles whose entries are DELETE requests. */
export async function * toDeletedLines (chunks: AsyncIterable<Buffer>): AsyncGenerator<Lines> {
  let entry: BundleEntry[] = []
  for await (const rows of readRows(chunks, 2)) {
    while (rows.next()) {
      const id = toText(rows.row, 1)
      if (!isId(id)) continue // no resource of that id was ever exported
      entry.push({ request: { method: 'DELETE', url: `${toText(rows.row, 0)}/${id}` } })
      if (entry.length < bundleEntries) continue
      yield toLine(entry)
      entry = []
    }
  }
  if (entry.length > 0) yield toLine(entry)
}

function toLine (entry: BundleEntry[]): Lines {
  const bundle: Bundle = { resourceType: 'Bundle', type: 'transaction', entry }
  return { bytes: Buffer.from(JSON.stringify(bundle) + '\n'), count: 1 }
}
