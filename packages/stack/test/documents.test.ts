import { existsSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { inRepository } from '../src/workspace.ts'

const root = inRepository('.')
const beside: string[] = []
for await (const path of glob(['{apps,packages}/*/README.md', 'docker/README.md'], { cwd: root })) beside.push(path)
const documents = await Promise.all(['README.md', ...beside.sort()].map(async (path) => ({
  path, text: await readFile(join(root, path), 'utf8'),
})))
/** An operator's own. */
const notInRepository = ['docker/.env', 'docker/compose.override.yaml']
const makefile = await readFile(join(root, 'Makefile'), 'utf8')

t.test('the README is short, and leads to every other document', async (t) => {
  const [readme] = documents
  t.ok((readme?.text ?? '').split('\n').length <= 151, 'at most 150 lines')
  for (const { path } of documents.slice(1)) t.match(readme?.text, `](${path})`)
})

for (const { path: document, text } of documents) {
  t.test(`${document}: what it names is there`, async (t) => {
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      t.ok(existsSync(join(root, dirname(document), link)), `link ${link}`)
    }
    for (const [, paths = ''] of text.matchAll(/`((?:apps|packages|docker)\/[\w./{},-]+)`/g)) {
      for (const path of expandBraces(paths).filter((path) => !notInRepository.includes(path))) {
        t.ok(['', '.ts', '.test.ts'].some((ending) => existsSync(join(root, path + ending))), `path ${path}`)
      }
    }
    for (const [, target = ''] of text.matchAll(/(?:`|^)make (?:-s )?([a-z][a-z0-9-]*)/gm)) {
      t.match(makefile, new RegExp(`^${target}:`, 'm'), `make ${target}`)
    }
  })
}

/** `a/{b,c}`: `a/b` and `a/c`. */
function expandBraces (text: string): string[] {
  const [all, before = '', list = '', after = ''] = /^(.*?)\{(.*?)\}(.*)$/.exec(text) ?? []
  return all === undefined ? [text] : list.split(',').flatMap((item) => expandBraces(before + item + after))
}
