import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { getServerUrl, needs } from '@fhir-bulk-export/stack/optional-servers'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { openDatabase } from '../fixtures/database.ts'
import t, { type Test } from 'tap'
import { createDataKey, encrypt, parseKeyring, wrapDataKey } from '../../src/crypto/index.ts'
import { cancelExport, intendFile, recordFile } from '../../src/exports/index.ts'
import { openContentStore, toFileKey } from '../../src/store/index.ts'
import { base64 } from '../crypto/fixtures/files.ts'
import { runCommand } from '../fixtures/run-command.ts'
import { givenAttempt, publish } from '../exports/fixtures/keyed-files.ts'
import { inChunks } from '../store/fixtures/stores.ts'

const lines = (n: number, type = 'Patient') =>
  Array.from({ length: n }, (_, i) => `{"resourceType":"${type}","id":"secret-${i}"}\n`).join('')
const EXPORT_ENCRYPTION_KEY = `k1:${base64(1)}`

interface Options { ipfsUrl?: string | undefined, key?: string }

/** A completed export with these files, and the command over it. */
async function givenFiles (t: Test, bodies: string[], { ipfsUrl, key }: Options = {}) {
  const directory = t.testdir()
  const environment = {
    DATABASE_URL: await createTestDatabase(t),
    IPFS_URL: ipfsUrl ?? pathToFileURL(directory).href,
    ...(key === undefined ? {} : { EXPORT_ENCRYPTION_KEY: key }),
  }
  const db = openDatabase(t, environment.DATABASE_URL)
  const store = await openContentStore(environment.IPFS_URL)
  const attempt = await givenAttempt(db)
  const paths: string[] = []
  for (const [i, body] of bodies.entries()) {
    const ref = { export_id: attempt.id, attempt: attempt.attempt, n: i + 1 }
    const size = Buffer.byteLength(body)
    await intendFile(db, { ...ref, list: 'output', type: 'Patient' })
    const dataKey = createDataKey()
    const chunks = inChunks(Buffer.from(body), 100_000)
    const { cid, pin } = await store.put(toFileKey(ref), key === undefined ? chunks : encrypt(chunks, dataKey, ref))
    const wrapped = key === undefined ? {} : wrapDataKey(dataKey, parseKeyring(key)[0], ref, size)
    await recordFile(db, ref, {
      cid, pin, size, sha256: createHash('sha256').update(body).digest('hex'), count: body.split('\n').length - 1,
      ...wrapped
    })
    paths.push(join(directory, toFileKey(ref)))
  }
  await publish(db, attempt, bodies.length)
  const run = async (id = attempt.id, overrides: Record<string, string> = {}) => {
    const ended = await runCommand('verify', [id], { ...environment, ...overrides })
    t.notMatch(ended.stdout + ended.stderr, /secret/, 'no content is printed')
    return ended
  }
  return { id: attempt.id, db, paths, run }
}

t.test('all is as it was published: a line a file, and a summary', async (t) => {
  for (const { what, isNode, ...options } of [
    { what: 'folder', isNode: false },
    { what: 'folder, encrypted', isNode: false, key: EXPORT_ENCRYPTION_KEY },
    { what: 'node', isNode: true },
    { what: 'node, encrypted', isNode: true, key: EXPORT_ENCRYPTION_KEY },
  ]) {
    await t.test(what, isNode ? needs('kubo') : {}, async (t) => {
      const { run } = await givenFiles(t, [lines(10_000), lines(1)], { ...options, ...(isNode ? { ipfsUrl: getServerUrl('kubo') } : {}) })
      const { code, stdout } = await run()
      t.equal(code, 0)
      t.match(stdout,
        /^ok {3}Patient\.1\.ndjson: 10000 lines, \d+ bytes, Qm\w{44}.*\nok {3}Patient\.2\.ndjson: 1 lines, .*\n2 files, 10001 lines, \d+ bytes: all as published\n$/)
      t.equal(stdout.includes('encrypted under k1'), 'key' in options)
    })
  }
})

t.test('what is not as it was published is said, file by file', async (t) => {
  const { run, paths, db } = await givenFiles(t, [lines(3), lines(3), lines(3),
    `${lines(2)}no JSON\n{"resourceType":"Patient","id":"secret-9","gender":"?"}\n`, lines(3, 'Organization'), lines(3)])
  const [changed = '', cut = '', gone = ''] = paths
  await writeFile(changed, (await readFile(changed, 'utf8')).replace('secret-0', 'secret-9'))
  await writeFile(cut, (await readFile(cut)).subarray(0, -5))
  await writeFile(gone, '')
  await db.updateTable('bulk_export_files').set({ count: 4 }).where('n', '=', 6).execute()
  const { code, stdout } = await run()
  t.equal(code, 1)
  const [one, two, three, four, five, six, summary] = stdout.split('\n')
  t.match(one, /^BAD {2}Patient\.1\.ndjson: its CID is Qm\w+, not Qm\w+; its SHA-256 is \w{64}, not \w{64}$/)
  t.match(two, /^BAD {2}Patient\.2\.ndjson: .*delivered \d+ of \d+ bytes/)
  t.match(three, /^BAD {2}Patient\.3\.ndjson: .*delivered 0 of \d+ bytes/)
  t.match(four, /^BAD {2}Patient\.4\.ndjson: 2 lines are no valid FHIR R4, the first of them line 3$/)
  t.match(five, /^BAD {2}Patient\.5\.ndjson: 3 lines are no Patient, the first of them line 1$/)
  t.match(six, /^BAD {2}Patient\.6\.ndjson: it has 3 lines, not 4$/)
  t.match(summary, /^6 files, .*: 6 files are not as published$/)
})

t.test('an encrypted file that was changed, or whose key is not there', async (t) => {
  const { run, paths } = await givenFiles(t, [lines(10_000)], { key: EXPORT_ENCRYPTION_KEY })
  t.match(await run(undefined, { EXPORT_ENCRYPTION_KEY: '' }), { code: 1, stdout: /^BAD .*key k1, which is not configured/ })
  const bytes = await readFile(paths[0] ?? '')
  bytes.writeUInt8(bytes.readUInt8(100_000) ^ 1, 100_000)
  await writeFile(paths[0] ?? '', bytes)
  t.match(await run(), { code: 1, stdout: /^BAD .*other bytes than it was given/ })
})

t.test('nothing to check: said on stderr', async (t) => {
  const { run, id, db } = await givenFiles(t, [lines(1)])
  t.match(await run('nope'), { code: 2, stdout: '', stderr: /^'nope' is no export id: a UUID is expected.*\n$/ })
  t.match(await run('00000000-0000-4000-8000-000000000000'), { code: 2, stderr: /no such export/ })
  t.match(await run(undefined, { IPFS_URL: 'http://127.0.0.1:1' }), { code: 2, stderr: /content store/ })
  await cancelExport(db, id, 60_000)
  t.match(await run(), { code: 2, stderr: /cancelled/ })
})

t.test('an export without files is as it was published', async (t) => {
  const { run } = await givenFiles(t, [])
  t.match(await run(), { code: 0, stdout: /^0 files/ })
})
