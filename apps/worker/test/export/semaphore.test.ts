import t from 'tap'
import { createSemaphore } from '../../src/export/semaphore.ts'

const never = new AbortController().signal

t.test('places are given in the order in which they were asked for', async (t) => {
  const semaphore = createSemaphore(2)
  const order: number[] = []
  const releases = [await semaphore.acquire(never), await semaphore.acquire(never)]
  t.notOk(semaphore.isFree())
  const waiting = [1, 2, 3].map(async (n) => {
    const release = await semaphore.acquire(never)
    order.push(n)
    release()
  })
  for (const release of releases) release()
  await Promise.all(waiting)
  t.strictSame(order, [1, 2, 3])
  t.ok(semaphore.isFree())
})

t.test('one that gives up waiting takes no place, and none from those behind it', async (t) => {
  const semaphore = createSemaphore(1)
  const release = await semaphore.acquire(never)
  const given = new AbortController()
  const first = semaphore.acquire(given.signal)
  const second = semaphore.acquire(never)
  given.abort(new Error('enough'))
  await t.rejects(first, { message: 'enough' })
  release()
  ;(await second)()
  t.ok(semaphore.isFree())
  await t.rejects(semaphore.acquire(given.signal), { message: 'enough' })
  t.ok(semaphore.isFree())
})
