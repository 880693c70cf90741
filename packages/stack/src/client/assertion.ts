import { readOptions } from '../options.ts'
import { signAssertion } from './key.ts'

const { client, key, url } = readOptions({ client: '', key: '', url: '' })

if (client === '' || key === '' || !URL.canParse(url)) {
  console.error(
    'usage: assertion --client <id> --key <private JWK> --url <of the token endpoint> (CLIENT=lab KEY=lab.key.json ' +
    'URL=http://localhost:3000/auth/token)'
  )
  process.exitCode = 2
} else {
  try {
    console.log(await signAssertion({ clientId: client, keyFile: key, tokenUrl: url }))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
