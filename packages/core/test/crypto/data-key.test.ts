import t from 'tap'
import { createDataKey, unwrapDataKey, wrapDataKey } from '../../src/crypto/index.ts'
import { givenKeyring, givenRef } from './fixtures/files.ts'

t.test('a data key comes back from its wrap, with any key of the ring', async (t) => {
  const keyring = givenKeyring('new', 'old')
  const [first, second] = keyring
  const file = givenRef()
  const dataKey = createDataKey()
  t.equal(dataKey.symmetricKeySize, 32)
  for (const master of [first, second]) {
    if (master === undefined) throw new Error('two keys')
    const wrapped = wrapDataKey(dataKey, master, file, 1_000)
    t.equal(wrapped.key_id, master.id)
    t.notOk(wrapped.wrapped_key.includes(dataKey.export()))
    t.ok(unwrapDataKey(keyring, file, wrapped, 1_000).equals(dataKey))
  }
})

t.test('every data key and every wrap is another', async (t) => {
  const [first] = givenKeyring('k')
  const file = givenRef()
  const dataKey = createDataKey()
  t.notOk(createDataKey().equals(dataKey))
  t.notSame(wrapDataKey(dataKey, first, file, 1).wrapped_key, wrapDataKey(dataKey, first, file, 1).wrapped_key)
})

t.test('a wrap is good for its file, its size and its key alone', async (t) => {
  const keyring = givenKeyring('k', 'l')
  const file = givenRef()
  const wrapped = wrapDataKey(createDataKey(), keyring[0], file, 1_000)
  const flipped = (i: number) => {
    const bytes = Buffer.from(wrapped.wrapped_key)
    bytes.writeUInt8(bytes.readUInt8(i) ^ 1, i)
    return { ...wrapped, wrapped_key: bytes }
  }
  for (const [what, ref, other, size] of [
    ['another export', { ...givenRef() }, wrapped, 1_000],
    ['another attempt', { ...file, attempt: 2 }, wrapped, 1_000],
    ['another file', { ...file, n: 2 }, wrapped, 1_000],
    ['another size', file, wrapped, 999],
    ['another key id', file, { ...wrapped, key_id: 'l' }, 1_000],
    ['nothing', file, { ...wrapped, wrapped_key: Buffer.alloc(0) }, 1_000],
    ['less', file, { ...wrapped, wrapped_key: wrapped.wrapped_key.subarray(0, -1) }, 1_000],
    ...Array.from({ length: wrapped.wrapped_key.length }, (_, i) => [`bit ${i}`, file, flipped(i), 1_000] as const),
  ] as const) {
    t.throws(() => unwrapDataKey(keyring, ref, other, size), { code: 'KEY_UNUSABLE', message: /key [kl]/ }, what)
  }
})

t.test('a key that is not configured is named', async (t) => {
  const file = givenRef()
  const wrapped = wrapDataKey(createDataKey(), givenKeyring('gone')[0], file, 1)
  for (const keyring of [undefined, givenKeyring('here')]) {
    t.throws(() => unwrapDataKey(keyring, file, wrapped, 1), { code: 'KEY_UNUSABLE', message: /gone.*not configured/ })
  }
})
