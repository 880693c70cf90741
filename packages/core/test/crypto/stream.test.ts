import fc from 'fast-check'
import t from 'tap'
import { createDataKey, toCiphertextRange, toCiphertextSize } from '../../src/crypto/index.ts'
import { makeBytes } from '../store/fixtures/stores.ts'
import { decryptBytes, encryptBytes, givenRef } from './fixtures/files.ts'

const chunk = 64 * 1024
const sealed = chunk + 16
const edges = [0, 1, chunk - 1, chunk, chunk + 1, 8 * chunk - 1, 8 * chunk, 8 * chunk + 1, 1_000_000]

t.test('what is encrypted comes back, of every size, and the size of the ciphertext is known beforehand', async (t) => {
  for (const size of edges) {
    const [bytes, dataKey, file] = [makeBytes(size), createDataKey(), givenRef()]
    const ciphertext = await encryptBytes(bytes, dataKey, file)
    t.equal(ciphertext.length, toCiphertextSize(size), `${size} bytes`)
    t.ok(bytes.equals(await decryptBytes(ciphertext, dataKey, file, size)))
  }
})

t.test('however the stream is cut, the ciphertext is the same', async (t) => {
  const [bytes, dataKey, file] = [makeBytes(300_000), createDataKey(), givenRef()]
  const expected = await encryptBytes(bytes, dataKey, file)
  for (const size of [1_000, chunk, chunk + 1, 300_000]) {
    t.ok(expected.equals(await encryptBytes(bytes, dataKey, file, size)), `pieces of ${size}`)
  }
})

t.test('nothing of the plaintext is left in it, and equal files have nothing in common', async (t) => {
  const bytes = Buffer.from('{"resourceType":"Patient","id":"1"}\n'.repeat(10_000))
  const file = givenRef()
  const one = await encryptBytes(bytes, createDataKey(), file)
  t.notOk(one.includes('resourceType'))
  t.notOk(one.subarray(0, sealed).equals((await encryptBytes(bytes, createDataKey(), file)).subarray(0, sealed)))
  t.notOk(one.subarray(0, 1_000).equals(one.subarray(sealed, sealed + 1_000)), 'equal chunks differ')
})

t.test('any range comes back by reading no more than its chunks', async (t) => {
  const size = 5 * chunk + 123
  const [bytes, dataKey, file] = [makeBytes(size), createDataKey(), givenRef()]
  const ciphertext = await encryptBytes(bytes, dataKey, file)
  const position = fc.oneof(fc.nat(size), fc.constantFrom(0, 1, chunk - 1, chunk, chunk + 1, 5 * chunk, size - 1, size))
  await t.resolves(fc.assert(fc.asyncProperty(position, position, async (a, b) => {
    const range = { start: Math.min(a, b), end: Math.max(a, b) }
    const { start, end } = toCiphertextRange(size, range)
    const plaintext = await decryptBytes(ciphertext, dataKey, file, size, range)
    return plaintext.equals(bytes.subarray(range.start, range.end)) && end - start <= range.end - range.start + 2 * sealed
  }), { numRuns: 200 }))
})

t.test('any change of the ciphertext is detected, and no byte of a changed chunk is given out', async (t) => {
  const size = 3 * chunk + 500
  const [bytes, dataKey, file] = [makeBytes(size), createDataKey(), givenRef()]
  const ciphertext = await encryptBytes(bytes, dataKey, file)
  const part = (n: number) => ciphertext.subarray(n * sealed, (n + 1) * sealed)
  const refuse = async (changed: Buffer, what: string, ref = file, key = dataKey, claimed = size) => {
    await t.rejects(decryptBytes(changed, key, ref, claimed), { code: 'STORE_CORRUPT' }, what)
  }
  await t.resolves(fc.assert(fc.asyncProperty(fc.nat(ciphertext.length - 1), fc.integer({ min: 1, max: 255 }), async (position, mask) => {
    const changed = Buffer.from(ciphertext)
    changed.writeUInt8(changed.readUInt8(position) ^ mask, position)
    return await decryptBytes(changed, dataKey, file, size).then(() => false, (error: { code?: string }) => error.code === 'STORE_CORRUPT')
  }), { numRuns: 100 }))

  await refuse(ciphertext.subarray(0, 3 * sealed), 'cut after a chunk')
  await refuse(ciphertext.subarray(0, -1), 'cut within a chunk')
  await refuse(Buffer.alloc(0), 'nothing')
  await refuse(Buffer.concat([part(1), part(0), part(2), part(3)]), 'two chunks change places')
  await refuse(Buffer.concat([part(0), part(0), part(2), part(3)]), 'a chunk twice')
  await refuse(Buffer.concat([part(0), part(2), part(3)]), 'a chunk left out')
  await refuse(ciphertext, 'the size of the first chunk only: a chunk in the middle is no last one', file, dataKey, chunk)
  await refuse(ciphertext, 'a smaller size', file, dataKey, size - 1)
  await refuse(Buffer.concat([ciphertext, part(0)]), 'a larger size', file, dataKey, size + chunk)
  for (const ref of [givenRef(), { ...file, attempt: 2 }, { ...file, n: 2 }]) await refuse(ciphertext, 'another file', ref)
  await refuse(ciphertext, 'another key', file, createDataKey())
  await refuse(Buffer.concat([part(0), (await encryptBytes(bytes, dataKey, givenRef())).subarray(sealed)]), 'two files put together')
})

t.test('a range that is authentic is given out although another chunk is not', async (t) => {
  const size = 3 * chunk
  const [bytes, dataKey, file] = [makeBytes(size), createDataKey(), givenRef()]
  const ciphertext = await encryptBytes(bytes, dataKey, file)
  ciphertext.fill(0, 0, 100)
  const range = { start: chunk + 5, end: size }
  t.ok(bytes.subarray(range.start).equals(await decryptBytes(ciphertext, dataKey, file, size, range)))
})

t.test('a file cut short cannot pass for a shorter one, nor one grown for a longer one', async (t) => {
  const [bytes, dataKey, file] = [makeBytes(4 * chunk), createDataKey(), givenRef()]
  const ciphertext = await encryptBytes(bytes, dataKey, file)
  for (const chunks of [1, 2, 3]) {
    await t.rejects(decryptBytes(ciphertext.subarray(0, chunks * sealed), dataKey, file, chunks * chunk), { code: 'STORE_CORRUPT' },
      `${chunks} chunks`)
  }
})
