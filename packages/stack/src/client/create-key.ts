import { readOptions } from '../options.ts'
import { createClientKey, keyFiles } from './key.ts'

const { name } = readOptions({ name: '' })

if (!/^[A-Za-z0-9._~/-]+$/.test(name)) {
  console.error(
    'usage: create-key --name <path without an ending>: the key is written to <name>.key.json, the public one to <name>.jwks.json ' +
    '(NAME=lab)'
  )
  process.exitCode = 2
} else {
  try {
    await createClientKey(name)
    const { keyFile, jwksFile } = keyFiles(name)
    console.log(`${keyFile}: the private key, which never leaves the client`)
    console.log(`${jwksFile}: the public one, to register (make client ARGS='add … --jwks-file ${jwksFile}')`)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
