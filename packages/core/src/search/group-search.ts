import { searchParametersOf, type SearchParameter } from './parameters.ts'

/** Not R4's: later versions have it, and clients look for a group by it. */
const name: SearchParameter = {
  name: 'name',
  kind: 'string',
  selections: [{ path: '$."name"', datatype: 'string', root: 'name', systems: [], target: undefined, isPresence: false }],
}

/** The parameters of `GET /Group`: names, ids and identifiers. Members would have to be put together for every group there is. */
export const groupSearchParameters: ReadonlyMap<string, SearchParameter> = new Map([
  ...[...searchParametersOf('Group')].filter(([name]) => name === '_id' || name === 'identifier'), ['name', name],
])
