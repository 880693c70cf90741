import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, noJsx: true, ignores: ['**/node_modules/', '.data/', '.tap/'] }),
]
