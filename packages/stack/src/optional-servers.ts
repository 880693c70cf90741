/*
 * The servers that not every machine has. A test that needs one is skipped where it is missing, and `with-stack` says so loudly; with
 * REQUIRE_ALL=1 it fails. A test comes to them through `needs` alone: `make test-bare` shows that nothing else does.
 */

interface OptionalServer {
  name: string
  /** The program on PATH that starts it. */
  program: string
  /** Where `with-stack` tells the tests its URL; of those that each test starts for itself, where they are. */
  variable: string
  /** What to do where it is missing. */
  how: string
}

export const optionalServers = {
  redis: { name: 'Redis', program: 'redis-server', variable: 'TEST_REDIS_URL', how: 'Install it: apt-get install redis-server' },
  kubo: {
    name: 'Kubo', program: 'ipfs', variable: 'TEST_KUBO_URL',
    how: 'Get it: make kubo (with Go 1.26 on PATH; some minutes, once), or an `ipfs` on PATH, or KUBO=<program>',
  },
  pgbouncer: { name: 'PgBouncer', program: 'pgbouncer', variable: 'TEST_PGBOUNCER', how: 'Install it: apt-get install pgbouncer' },
  openssl: { name: 'OpenSSL', program: 'openssl', variable: 'TEST_OPENSSL', how: 'Install it: apt-get install openssl' },
  curl: { name: 'curl', program: 'curl', variable: 'TEST_CURL', how: 'Install it: apt-get install curl' },
  chromium: { name: 'Chromium', program: 'chromium', variable: 'TEST_CHROMIUM', how: 'Install it: apt-get install chromium' },
  postgresVersions: {
    name: 'PostgreSQL 14 to 17', program: 'postgres-versions', variable: 'TEST_POSTGRES_VERSIONS',
    how: 'Get them: make postgres-versions (240 MB, once)',
  },
} satisfies Record<string, OptionalServer>

export type OptionalServerName = keyof typeof optionalServers

/** Options of a test that starts these servers or uses the shared ones: `t.test('…', needs('redis'), async (t) => …)`. */
export function needs (...names: OptionalServerName[]): { skip: string | false } {
  const missing = names.filter(name => findServerUrl(name) === undefined).map(name => optionalServers[name].name)
  return { skip: missing.length > 0 && `there is no ${missing.join(', no ')}` }
}

/** Of the server that all tests share: leave it as it is found. Throws where it is missing. */
export function getServerUrl (name: OptionalServerName): string {
  const url = findServerUrl(name)
  if (url === undefined) throw new Error(`there is no ${optionalServers[name].name}, and this test does not say that it needs('${name}')`)
  return url
}

function findServerUrl (name: OptionalServerName): string | undefined {
  const url = process.env[optionalServers[name].variable]
  return url === '' ? undefined : url
}
