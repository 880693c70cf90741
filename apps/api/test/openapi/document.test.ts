import t from 'tap'
import { complete } from '../../src/openapi/document.ts'

const toPaths = (first: object, second: object) => ({ '/': { get: { responses: { 200: { schema: first }, 202: { schema: second } } } } })

t.test('a schema with a title is a component of that name, wherever it stands', async (t) => {
  const file = () => ({ title: 'File', type: 'object', properties: { title: { type: 'string' } } })
  t.strictSame(complete({ paths: toPaths({ title: 'List', items: file() }, file()) }), {
    paths: toPaths({ $ref: '#/components/schemas/List' }, { $ref: '#/components/schemas/File' }),
    components: { schemas: { File: file(), List: { title: 'List', items: { $ref: '#/components/schemas/File' } } } },
  })
})

t.test('two schemas cannot have one title', async (t) => {
  const paths = toPaths({ title: 'A', type: 'string' }, { title: 'A', type: 'object' })
  t.throws(() => complete({ paths }), { message: 'two schemas are called A' })
})
