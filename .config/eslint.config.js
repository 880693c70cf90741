import neostandard, { plugins } from 'neostandard'

export default [
  ...neostandard({ ts: true, noJsx: true, ignores: ['**/node_modules/', '.data/', '.tap/'] }),
  {
    rules: {
      '@stylistic/object-property-newline': 'off', // properties share lines by their sense, up to the length of a line
      camelcase: 'off', // rows keep the names of their columns: snake_case
      'no-void': ['error', { allowAsStatement: true }], // says of a promise that never rejects that nothing waits for it
    },
  },
  {
    files: ['**/*.{js,ts}'],
    ignores: ['**/migrations/**', '**/source-migrations/**'], // frozen
    rules: {
      'max-len': ['error', { code: 140, ignoreRegExpLiterals: true }],
      'no-duplicate-imports': 'error', // a type stands beside the values of its module
    },
  },
  {
    files: ['{apps,packages}/*/{src,test}/**/*.ts'],
    plugins: { '@typescript-eslint': plugins['typescript-eslint'].plugin },
    languageOptions: { parserOptions: { project: 'tsconfig.base.json' } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', {
        // A test waits for its subtests by itself.
        allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }],
      }],
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
]
