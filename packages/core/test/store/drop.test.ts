import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { collect, kinds, listed, makeBytes, newKey, openKubo, putBytes } from './fixtures/stores.ts'

for (const kind of kinds) {
  t.test(kind.name, { skip: kind.skip }, async (t) => {
    const { store, collectGarbage } = await kind.openOwn(t)

    t.test('dropping one of two equal files leaves the other, and the last drop takes the bytes away', async (t) => {
      const bytes = makeBytes(2_000_000)
      const one = await putBytes(store, bytes)
      const other = await putBytes(store, bytes)

      await store.drop(one)
      await collectGarbage()
      t.strictSame(await listed(store, one.key, other.key), [{ key: other.key, pin: other.pin }])
      t.ok(bytes.equals(await collect(store.read(other))))

      await store.drop(other)
      await collectGarbage()
      t.strictSame(await listed(store, one.key, other.key), [])
      await t.rejects(collect(store.read(other)), { code: 'STORE_NOT_FOUND' })
    })

    t.test('dropping twice counts as done', async () => {
      const file = await putBytes(store, makeBytes(20))
      await store.drop(file)
      await store.drop(file)
    })

    t.test('dropping what was never stored counts as done', async () => {
      await store.drop({ key: newKey(), pin: kind.name === 'folder' ? null : 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o' })
    })

    t.test('the same bytes can be stored again after a drop', async (t) => {
      const bytes = makeBytes(500_000)
      await store.drop(await putBytes(store, bytes))
      await collectGarbage()
      t.ok(bytes.equals(await collect(store.read(await putBytes(store, bytes)))))
    })
  })
}

t.test('kubo: without a pin nothing is dropped, `list` finds it', needs('kubo'), async (t) => {
  const { store } = await openKubo()
  const { key } = await putBytes(store, makeBytes(30))
  await store.drop({ key, pin: null })
  const [found] = await listed(store, key)
  t.type(found?.pin, 'string')
})
