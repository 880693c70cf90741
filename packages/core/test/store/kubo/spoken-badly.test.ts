import type { IncomingMessage, ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { createKuboStore } from '../../../src/store/kubo/kubo-store.ts'
import { lines, refusal, startFakeNode, trailer, type Handler } from '../fixtures/fake-node.ts'
import { collect, makeBytes, newKey, putBytes, toArray } from '../fixtures/stores.ts'

const cid = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'
const pin = 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH'
const cidV1 = 'bafkreiahvo7m6w6cntlvhgpftj3hyuvmjbsuh5ygq66aghxyhlh7xqoq6y'
const key = newKey()
const fileLine = { Name: `d/${key}`, Hash: cid, Size: '1' }
const rootLine = { Name: 'd', Hash: pin, Size: '2' }
const bytes = makeBytes(1_000)

const silence: Handler = () => {}
const halfOfIt: Handler = (_req, res) => res.write(bytes.subarray(0, 500))

/** Short deadlines only where they are waited for. */
async function openStore (t: Test, handlers: Record<string, Handler>) {
  const { url } = await startFakeNode(t, handlers)
  const ms = Object.values(handlers).some((handler) => [silence, halfOfIt].includes(handler)) ? 300 : 20_000
  return createKuboStore({ url, deadlineMs: ms, putDeadlineMs: ms })
}

const hangUp: Handler = (req) => { req.once('data', () => { req.socket.destroy() }) }
const stat = (Size: number, Hash = cid) => lines({ Hash, Size, CumulativeSize: Size, Type: 'file', Blocks: 0 })

t.test('put: what the node did not surely keep is an error', async (t) => {
  const faults: Record<string, Record<string, Handler>> = {
    'an answer without entries': { add: lines() },
    'an answer without the directory': { add: lines(fileLine) },
    'an answer without the file': { add: lines(rootLine) },
    'fewer bytes than were sent': { add: lines(fileLine, rootLine), 'files/stat': stat(999) },
    'another CID than was answered': { add: lines(fileLine, rootLine), 'files/stat': stat(1_000, pin) },
    'a CIDv1': { add: lines({ ...fileLine, Hash: cidV1 }, rootLine), 'files/stat': stat(1_000, cidV1) },
    'a refusal': { add: refusal('input/output error') },
    'a connection that breaks': { add: hangUp },
    'half an answer, then a break': { add: (req, res) => req.resume().on('end', () => res.write('{"Na', () => res.destroy())) },
    'half an answer, then silence': { add: halfOfIt },
    'an error in the trailer': { add: trailer(fileLine, rootLine), 'files/stat': stat(1_000) },
    'no answer': { add: silence },
    'no answer about what it holds': { add: lines(fileLine, rootLine), 'files/stat': silence },
    'an answer that is no JSON': { add: (req, res) => req.resume().on('end', () => res.end('<html>')) },
  }
  const takenBack: string[] = []
  for (const [name, handlers] of Object.entries(faults)) {
    let ended = false
    const source = async function * () {
      try { yield bytes } finally { ended = true }
    }
    const unpin: Handler = (req, res) => {
      takenBack.push(name)
      lines({ Pins: [pin] })(req, res)
    }
    await t.rejects((await openStore(t, { ...handlers, 'pin/rm': unpin })).put(key, source()),
      { name: 'ServiceError', code: 'STORE_FAILED' }, name)
    t.ok(ended, 'the source is ended')
  }
  t.same(takenBack, ['fewer bytes than were sent', 'another CID than was answered', 'a CIDv1', 'no answer about what it holds'],
    'a pin that is known of is taken back')
  const good = await openStore(t, { add: lines(fileLine, rootLine), 'files/stat': stat(1_000) })
  t.strictSame(await putBytes(good, bytes, key), { key, cid, pin, size: 1_000 })
})

t.test('put: a node that answers in the middle of the upload ends the source', async (t) => {
  const store = await openStore(t, { add: (_req, res) => res.writeHead(500).end('no') })
  let ended = false
  const endless = async function * () {
    try { for (;;) yield bytes } finally { ended = true }
  }
  await t.rejects(store.put(key, endless()), { code: 'STORE_FAILED' })
  t.ok(ended)
})

t.test('put: a source may take longer than the node may', async (t) => {
  const { url } = await startFakeNode(t, { add: lines(fileLine, rootLine), 'files/stat': stat(1_000) })
  const store = createKuboStore({ url, putDeadlineMs: 1_000 })
  const slow = async function * () {
    yield bytes.subarray(0, 500)
    await new Promise((resolve) => { setTimeout(resolve, 1_100) })
    yield bytes.subarray(500)
  }
  t.match(await store.put(key, slow()), { size: 1_000 })
})

t.test('read: nothing but all of the bytes ends cleanly', async (t) => {
  const half = (end: (res: ServerResponse) => void) => (_req: IncomingMessage, res: ServerResponse) => {
    res.write(bytes.subarray(0, 500), () => { end(res) })
  }
  const faults: Array<[string, Handler, string]> = [
    ['a clean end after half (its error came as a trailer)', half((res) => res.end()), 'STORE_SHORT'],
    ['a connection that breaks', half((res) => res.destroy()), 'STORE_FAILED'],
    ['silence after half', halfOfIt, 'STORE_FAILED'],
    ['silence', silence, 'STORE_FAILED'],
    ['too many bytes', (_req, res) => res.end(Buffer.concat([bytes, bytes])), 'STORE_FAILED'],
    ['a refusal', refusal('unknown'), 'STORE_FAILED'],
    ['a block that is missing', refusal(`block was not found locally (offline): ipld: could not find ${cid}`), 'STORE_NOT_FOUND'],
  ]
  for (const [name, cat, code] of faults) {
    const store = await openStore(t, { cat })
    await t.rejects(collect(store.read({ key, cid, pin, size: 1_000 })), { name: 'ServiceError', code }, name)
  }
})

t.test('drop: only "not pinned" counts as done', async (t) => {
  const drop = async (handler: Handler) => { await (await openStore(t, { 'pin/rm': handler })).drop({ key, pin }) }
  await drop(refusal('not pinned or pinned indirectly'))
  await drop(lines({ Pins: [pin] }))
  await t.rejects(drop(refusal('context canceled')), { code: 'STORE_FAILED' })
  await t.rejects(drop(silence), { code: 'STORE_FAILED' })
  await t.rejects(drop((req) => req.socket.destroy()), { code: 'STORE_FAILED' })
})

t.test('list: an answer that breaks off or does not come is an error', async (t) => {
  const list = async (handlers: Record<string, Handler>) => {
    const store = await openStore(t, handlers)
    return await toArray(store.list())
  }
  const ours = { Cid: pin, Type: 'recursive', Name: key }
  await t.rejects(list({ 'pin/ls': silence }), { code: 'STORE_FAILED' })
  await t.rejects(list({ 'pin/ls': (_req, res) => res.end('{"Cid":"Qm') }), { code: 'STORE_FAILED' })
  await t.rejects(list({ 'pin/ls': (_req, res) => res.write(JSON.stringify(ours), () => res.destroy()) }), { code: 'STORE_FAILED' })
  await t.rejects(list({ 'pin/ls': trailer(ours) }), { code: 'STORE_FAILED' })
  await t.rejects(list({ 'pin/ls': (req) => req.socket.destroy() }), { code: 'STORE_FAILED' })
  t.strictSame(await list({ 'pin/ls': lines({ ...ours, Name: undefined }, { ...ours, Name: 'theirs' }, ours) }), [{ key, pin }])
})

t.test('user and password of the URL go into the Authorization header', async (t) => {
  let authorization: string | undefined
  const version: Handler = (req, res) => {
    authorization = req.headers.authorization
    res.end('{"Version":"1"}')
  }
  const { host } = new URL((await startFakeNode(t, { version })).url)
  await createKuboStore({ url: `http://me:p%40ss@${host}` }).ping()
  t.equal(authorization, `Basic ${Buffer.from('me:p@ss').toString('base64')}`)
})
