import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, realpath, rm, stat } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import t from 'tap'
import { needs } from '../src/optional-servers.ts'
import { findFreePort } from '../src/ports.ts'
import { inRepository } from '../src/workspace.ts'
import { findDescendants } from './fixtures/descendants.ts'
import { runCommand, type Running } from './fixtures/run-command.ts'
import { untilGone } from './fixtures/until-gone.ts'

async function start (data: string): Promise<Running & { port: number, printed: string }> {
  const port = await findFreePort()
  const running = runCommand('start.ts', [], { STACK_DATA: data, PATIENTS: '20', DATA: '', PORT: String(port) })
  return { ...running, port, printed: await running.untilOutput('Ctrl-C stops everything') }
}

async function stop (running: Running): Promise<string> {
  const descendants = await findDescendants(running.pid)
  running.child.kill('SIGINT')
  const { code, output } = await running.ended
  if (code !== 0) throw new Error(output)
  await untilGone(descendants)
  return output
}

t.test('the curl lines work as they are pasted, and data and secret are kept', needs('curl'), async t => {
  const data = t.testdir({})
  const first = await start(data)
  const place = await realpath(`${data}/start/postgres`) // another place in a checkout that only root may enter
  t.teardown(async () => { await rm(place, { recursive: true, force: true }) })
  const secret = await readFile(`${data}/start/jwt-secret`, 'utf8')
  t.equal((await stat(`${data}/start/jwt-secret`)).mode & 0o077, 0, 'readable by its owner alone')

  const untilManifest =
    'until curl -sf -o /dev/null -w "%{http_code}" -H "Authorization: Bearer $ADMIN" "$STATUS" | grep -q 200; do sleep 1; done'
  const pasted = linesToPaste(first.printed).replace('# 2.', `${untilManifest}\n# 2.`)
  const { stdout } = await promisify(execFile)('bash', ['-c', pasted])
  t.match(stdout, `http://localhost:${first.port}/fhir/r4/$export-status/`)
  t.match(stdout, '"transactionTime"')
  t.match(stdout, '{"resourceType":"Patient"')
  t.match(stdout, /content-location: .*export-status/i, 'the export of the registered client')
  t.equal((await stat(`${data}/start/demo-client.key.json`)).mode & 0o077, 0, 'readable by its owner alone')

  // The README's lines, with the token that is printed and the port that is free here.
  const [, lines = ''] = /## Try it.*?```bash\n(.*?)```/s.exec(await readFile(inRepository('README.md'), 'utf8')) ?? []
  const [admin = ''] = /^ADMIN=.*$/m.exec(first.printed) ?? []
  const tried = await promisify(execFile)('bash', ['-c', `${admin}\n${lines.replaceAll(':3000', `:${first.port}`)}`], { cwd: data })
  t.match(tried.stdout, /"output":.*Patient\.1\.ndjson/s)
  t.match(tried.stdout, '20 Patient.1.ndjson')
  t.match(tried.stdout, 'HTTP/1.1 202')
  await stop(first)

  const second = await start(data)
  const output = await stop(second)
  t.match(output, /kept; remove .* to begin anew/)
  t.equal(await readFile(`${data}/start/jwt-secret`, 'utf8'), secret)
})

t.test('a port that is in use is named, with a way out', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const { port } = server.address() as AddressInfo
  const { code, output } = await runCommand('start.ts', [], { STACK_DATA: t.testdir({}), PORT: String(port) }).ended
  t.equal(code, 1)
  t.match(output, `port ${port} is in use`)
})

function linesToPaste (output: string): string {
  return output.slice(output.indexOf('# Tokens'), output.indexOf('\nDatabase '))
}
