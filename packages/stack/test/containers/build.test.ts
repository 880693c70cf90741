import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import { createBuilder, type Image } from './fixtures/build.ts'
import { createContext } from './fixtures/copy.ts'
import { readStages } from './fixtures/dockerfile.ts'

async function build (directory: string, dockerfile: string, context: string, ignored = ''): Promise<Image> {
  return await createBuilder({ stages: readStages(dockerfile), context: createContext(context, ignored), directory, path: process.env.PATH ?? '' })('target')
}

t.test('the replay copies, runs and remembers what a Dockerfile says', async t => {
  const directory = t.testdir({ stages: {}, context: { 'a.txt': 'a', folder: { 'b.txt': 'b', 'hidden.txt': 'h' } } })
  const image = await build(`${directory}/stages`, `
FROM somewhere:1.0 AS first
WORKDIR /app
ENV NAME=value
COPY a.txt folder/
RUN echo "$NAME" > made.txt

FROM first AS target
COPY --from=first /app copy
COPY folder ./
USER node
HEALTHCHECK --interval=1s CMD ["node", "check.ts"]
ENTRYPOINT ["node", "main.ts"]
`, `${directory}/context`, 'folder/hidden.txt')
  t.match(image, { workingDirectory: '/app', env: { NAME: 'value' }, user: 'node', healthcheck: ['node', 'check.ts'], entrypoint: ['node', 'main.ts'] })
  const files = (await readdir(image.root, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
  t.strictSame(files.map(({ parentPath, name }) => `${parentPath.slice(image.root.length)}/${name}`).sort(),
    ['/app/b.txt', '/app/copy/folder/a.txt', '/app/copy/made.txt', '/app/folder/a.txt', '/app/made.txt'])
  t.equal(await readFile(`${image.root}/app/made.txt`, 'utf8'), 'value\n')
})

t.test('what the replay does not know makes it fail, and does not pass unnoticed', async t => {
  const wrong: Record<string, RegExp> = {
    'ADD a.txt ./': /^not replayed: ADD/,
    'COPY --chown=node a.txt ./': /^not replayed: COPY chown/,
    'RUN --mount=type=cache,target=/x true': /^not replayed: RUN mount/,
    'ENV A=1 B=2': /^not replayed: ENV/,
    'ARG A': /^not replayed: ARG/,
    'VOLUME /x': /^not replayed: VOLUME/,
    'COPY secret.txt ./': /nothing that the \.dockerignore lets through/,
    'COPY none.txt ./': /ENOENT/,
    'COPY *.txt ./': /ENOENT/,
    'COPY --from=nowhere /x ./': /there is no stage nowhere/,
    'RUN exit 3': /Command failed/,
    'ENTRYPOINT node main.ts': /not in exec form/,
    'HEALTHCHECK CMD node check.ts': /not in exec form/,
  }
  const directory = t.testdir({ ...Object.fromEntries(Object.keys(wrong).map((_, index) => [index, {}])), context: { 'a.txt': 'a', 'secret.txt': 's' } })
  for (const [index, [line, message]] of Object.entries(wrong).entries()) {
    await t.rejects(build(`${directory}/${index}`, `FROM somewhere:1.0 AS target\n${line}\n`, `${directory}/context`, 'secret.txt'), { message }, line)
  }
})
