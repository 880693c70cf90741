import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findKubo, initKubo, runKubo } from '@fhir-bulk-export/stack/kubo'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { createKuboStore } from '../../../src/store/kubo/kubo-store.ts'
import { makeBytes, makeFolder, putBytes, startNode } from '../fixtures/stores.ts'

t.test("the README's commands of an IPFS user", needs('kubo'), async (t) => {
  const readme = await readFile(new URL('../../../../../docker/README.md', import.meta.url), 'utf8')
  const [, commands] = /```bash\n(ipfs cat .*?)```/s.exec(readme) ?? []
  if (commands === undefined) throw new Error('the README has no commands for IPFS users')

  const folder = await makeFolder(t)
  const [bin, repo, elsewhere] = [join(folder, 'bin'), join(folder, 'repo'), join(folder, 'elsewhere')]
  await mkdir(bin)
  await symlink(await findKubo() ?? '', join(bin, 'ipfs'))
  const node = await startNode(t, repo)
  const bytes = makeBytes(1_000_000)
  const { cid } = await putBytes(createKuboStore({ url: node.url }), bytes)

  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: repo, IPFS_PATH: repo, CID: cid }
  const { stdout } = await promisify(execFile)('bash',
    ['-euo', 'pipefail', '-c', commands.replace('http://127.0.0.1:8080', node.gatewayUrl)], { cwd: folder, env })
  const lines = stdout.trim().split('\n')
  t.ok(lines.includes(`${createHash('sha256').update(bytes).digest('hex')}  Patient.1.ndjson`), stdout)
  t.ok(lines.includes(cid), stdout)
  t.ok(bytes.equals(await readFile(join(folder, 'Patient.1.ndjson'))))

  await initKubo(elsewhere)
  await runKubo(elsewhere, ['dag', 'import', join(folder, 'Patient.1.car')])
  await runKubo(elsewhere, ['get', cid, `--output=${join(folder, 'imported')}`])
  t.ok(bytes.equals(await readFile(join(folder, 'imported'))), 'the CAR file is whole')
})
