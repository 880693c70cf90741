import t from 'tap'
import { kinds, makeBytes, putBytes } from './fixtures/stores.ts'

for (const kind of kinds) {
  t.test(`${kind.name}: what is used grows with what is put, within what there is`, { skip: kind.skip }, async (t) => {
    const { store, shutDown } = await kind.openOwn(t)
    const before = await store.getUsage()
    await putBytes(store, makeBytes(8_000_000))
    const { used, capacity } = await store.getUsage()
    t.ok(used > 0 && used < capacity, `${used} of ${capacity} bytes`)
    if (kind.name === 'kubo') t.ok(used >= before.used + 8_000_000, 'a folder shares its disk with others')
    await shutDown()
    await t.rejects(store.getUsage(), { code: 'STORE_FAILED' })
  })
}
