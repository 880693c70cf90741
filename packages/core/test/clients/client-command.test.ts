import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { openDatabase } from '../fixtures/database.ts'
import t from 'tap'
import { findClient, findStanding } from '../../src/clients/index.ts'
import { runCommand } from '../fixtures/run-command.ts'

const url = await createTestDatabase(t)
const db = openDatabase(t, url)

const run = async (...args: string[]) => await runCommand('client', args, { DATABASE_URL: url })

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one' }
const keySet = (...keys: object[]) => JSON.stringify({ keys })

t.test('a client is added, listed, given other keys and disabled, and its id stays its own', async (t) => {
  const file = join(t.testdir({ 'jwks.json': keySet({ ...jwk, x5c: ['certificate'] }) }), 'jwks.json')
  t.match(await run('list'), { code: 0, stdout: 'No client is registered\n' })
  t.match(await run('add', 'lab', '--name', 'The lab', '--jwks-file', file, '--scope', 'system/Patient.rs system/Group.rs', '--scope',
    'system/Observation.read', '--group', 'g1', '--group', 'g2', '--max-active-exports', '3'),
  { code: 0, stdout: 'lab is registered\n', stderr: '' })
  t.match(await findClient(db, 'lab'), {
    name: 'The lab',
    jwks: { keys: [{ kid: 'one', kty: 'EC', crv: 'P-384', x5c: undefined }] },
    jwks_url: null,
    scopes: ['system/Patient.rs', 'system/Group.rs', 'system/Observation.read'],
    group_ids: ['g1', 'g2'],
    max_active_exports: 3,
    max_kick_offs_per_minute: null,
    disabled_at: null,
  })
  t.match(await run('add', 'lab', '--jwks-file', file, '--scope', 'system/*.rs'), { code: 1, stderr: /^lab is registered already/ })
  t.match(await run('add', 'clinic', '--jwks-url', 'https://clinic.example.org/jwks', '--scope', 'system/*.rs'), { code: 0 })
  t.match(await run('rotate', 'lab', '--jwks-url', 'https://lab.example.org/jwks'), { code: 0, stdout: 'lab has other keys\n' })
  t.match(await findClient(db, 'lab'), { jwks: null, jwks_url: 'https://lab.example.org/jwks' })
  t.match(await findStanding(db, 'lab'), { id: 'lab' })

  t.match(await run('disable', 'lab'), { code: 0, stdout: /^lab is disabled/ })
  t.equal(await findStanding(db, 'lab'), undefined)
  for (const args of [['disable', 'lab'], ['rotate', 'lab', '--jwks-file', file], ['disable', 'nobody']]) {
    t.match(await run(...args), { code: 1, stderr: /is unknown, or disabled/ }, args.join(' '))
  }
  t.match(await run('add', 'lab', '--jwks-file', file, '--scope', 'system/*.rs'), { code: 1 })

  const { stdout } = await run('list')
  t.match(stdout.split('\n'), [
    /^clinic {2}"clinic" {2}active {2}scopes system\/\*\.rs {2}keys https:\/\/clinic\.example\.org\/jwks since /,
    /^lab {2}"The lab" {2}disabled \d{4}-.* groups g1 g2 .*active 3$/,
  ])
})

t.test('what is wrong is named in one line, before anything is written', async (t) => {
  const { publicKey: weak } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  const folder = t.testdir({
    'good.json': keySet(jwk),
    'private.json': keySet({ ...privateKey.export({ format: 'jwk' }), kid: 'one' }),
    'weak.json': keySet({ ...weak.export({ format: 'jwk' }), kid: 'one' }),
    'twice.json': keySet(jwk, jwk),
    'no-kid.json': keySet({ ...jwk, kid: undefined }),
    'other-curve.json': keySet({ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'one' }),
    'secret.json': keySet({ kty: 'oct', k: 'c2VjcmV0', kid: 'one' }),
    'malformed.json': keySet({ ...jwk, x: 'AAAA' }),
    'empty.json': keySet(),
    'one-key.json': JSON.stringify(jwk),
    'text.json': 'no json',
    'long.json': ' '.repeat(300_000),
  })
  const scope = ['--scope', 'system/*.rs']
  const good = ['--jwks-file', join(folder, 'good.json')]
  for (const [args, line] of [
    [[], 'add, list, disable or rotate is expected'], [['nope'], 'add, list'], [['add'], "'' is no client id"],
    [['add', 'a b', ...good, ...scope], "'a b' is no client id"], [['list', 'lab', 'more'], "Unexpected argument 'more'"],
    [['add', 'x', ...scope], 'Either --jwks-file or --jwks-url'],
    [['add', 'x', ...good, '--jwks-url', 'https://x.example.org/', ...scope], 'Either --jwks-file or --jwks-url'],
    [['add', 'x', '--jwks-url', 'http://x.example.org/jwks', ...scope], '--jwks-url: an https:// URL'],
    [['add', 'x', '--jwks-file', join(folder, 'nowhere'), ...scope], 'ENOENT'],
    [['add', 'x', ...good], 'A client has at least one scope'],
    [['add', 'x', ...good, '--scope', 'patient/*.rs'], "'patient/*.rs' is no scope of a client"],
    [['add', 'x', ...good, '--scope', 'system/Pony.rs'], "'system/Pony.rs'"], [['add', 'x', ...good, '--scope', 'system/*.cruds'],
      "'system/*.cruds'"], [['add', 'x', ...good, '--scope', 'system/Patient.rs?a=b'], "'system/Patient.rs?a=b'"],
    [['add', 'x', ...good, ...scope, '--group', 'a/b'], "--group 'a/b'"],
    [['add', 'x', ...good, ...scope, '--max-active-exports', '0'], '--max-active-exports: a whole number from 1 to 10000'],
    [['add', 'x', ...good, ...scope, '--nope'], "Unknown option '--nope'"],
    ...([['private', 'private or secret keys'], ['secret', 'private or secret keys'], ['weak', 'an RSA key has 1024 bits'],
      ['twice', 'two keys have the same kid'], ['no-kid', 'expected {"keys"'], ['other-curve', 'expected {"keys"'],
      ['malformed', 'a key of it is malformed'], ['empty', 'expected {"keys"'], ['one-key', 'expected {"keys"'], ['text', 'it is not JSON'],
      ['long', 'more than 262144 bytes']] as const)
      .map(([name, problem]) => [['add', 'x', '--jwks-file', join(folder, `${name}.json`), ...scope], problem] as const),
  ] as const) {
    const { code, stderr, stdout } = await run(...args)
    t.match({ code, stdout, lines: stderr.split('\n').length }, { code: 2, stdout: '', lines: 2 }, args.join(' '))
    t.ok(stderr.includes(line), `${args.join(' ')}: ${stderr}`)
  }
  t.equal(await findClient(db, 'x'), undefined)
})
