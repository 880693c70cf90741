import { searchParametersOf, type SearchParameter } from './parameters.ts'

/** Not R4's: later versions have it, and clients look for a group by it. */
const name: SearchParameter = {
  name: 'name',
  kind: 'string',
  selections: [{ path: '$."name"', datatype: 'string', root: 'name', systems: [], target: undefined, isPresence: false }],
}

/** What `GET /Group` takes: what a group is called. What is in it would have to be put together for every group there is. */
export const groupSearchParameters: ReadonlyMap<string, SearchParameter> = new Map([
  ...[...searchParametersOf('Group')].filter(([name]) => name === '_id' || name === 'identifier'), ['name', name],
])
