import t from 'tap'
import { toErrorCodeSystem, toErrorDetails } from '../src/error-codes.ts'
import { findProblems } from './fixtures/validators.ts'

const publicUrl = 'https://fhir.example.org/bulk'

t.test('the CodeSystem is valid R4, and says of each code what it is called and what it means', async (t) => {
  const codeSystem = toErrorCodeSystem(publicUrl)
  t.strictSame(findProblems(codeSystem), [])
  t.equal(codeSystem.concept?.length, codeSystem.count)
  t.match(codeSystem.concept?.find(({ code }) => code === 'not-found'), { display: 'Does not exist', definition: /expired/ })
  t.match(codeSystem.concept?.map(({ code }) => code), ['bad-request', 'unauthorized', 'forbidden'])
})

t.test('details name a code of it', async (t) => {
  t.strictSame(toErrorDetails('forbidden', publicUrl), {
    coding: [{ system: toErrorCodeSystem(publicUrl).url, code: 'forbidden' }],
    text: 'Not permitted'
  })
})
