import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, noJsx: true, ignores: ['**/node_modules/', '.data/', '.tap/'] }),
  { rules: { camelcase: 'off' } }, // rows keep the names of their columns: snake_case
]
