import { snapshotApplicationName, useSearchPathOfSite } from '@fhir-bulk-export/core/db'
import { openPool } from '@fhir-bulk-export/core/testing/database'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import t from 'tap'
import { toSettings, type SnapshotFilter } from '../../src/source/filter.ts'
import { toCopyQuery, toCountQuery } from '../../src/source/queries.ts'
import { openSnapshot } from '../../src/source/snapshot.ts'
import { filterOf } from '../fixtures/filter.ts'

interface Node { 'Node Type': string, Alias?: string, 'Index Name'?: string, Plans?: Node[] }

const pool = openPool(t, await createTestDatabase(t), { applicationName: snapshotApplicationName })
await pool.query(`
  SELECT source.create_relation('observation');
  INSERT INTO source.patients (id, deleted_at, resource)
    SELECT 'p-' || i, CASE WHEN i % 100 = 0 THEN now() END, json_build_object('x', repeat('x', 1000)) FROM generate_series(1, 5000) AS i;
  INSERT INTO source.observation (id, patient_id, resource)
    SELECT 'o-' || i, 'p-' || i, json_build_object('x', repeat('x', 1000)) FROM generate_series(1, 5000) AS i;
  INSERT INTO source.patient_groups (id) VALUES ('g');
  INSERT INTO source.patient_group_members (id, group_id, patient_id) SELECT 'm-' || i, 'g', 'p-' || i FROM generate_series(1, 5000) AS i`)
const isVisible = `SELECT bool_and(relallvisible = relpages) AS is_visible FROM pg_class
  WHERE oid IN ('source.patients'::regclass, 'source.observation'::regclass)`
// VACUUM leaves pages for later whose commit is not written yet, or is too young for the snapshot of somebody else, as of autovacuum.
do await pool.query('VACUUM ANALYZE source.patients, source.observation, source.patient_group_members')
while ((await pool.query(isVisible)).rows[0].is_visible !== true)
const snapshot = await openSnapshot(pool, filterOf(), 0)
snapshot.close()
const { source } = snapshot

/** How PostgreSQL reads the relation of this alias. */
async function planOf (alias: string, sql: string, filter: SnapshotFilter): Promise<Node> {
  const client = await pool.connect()
  try {
    await client.query(`BEGIN; ${useSearchPathOfSite}`)
    const settings = toSettings(filter, source)
    for (const setting of Object.entries(settings)) await client.query('SELECT set_config($1, $2, true)', setting)
    const { rows: [explained] } = await client.query<{ 'QUERY PLAN': Array<{ Plan: Node }> }>(`EXPLAIN (FORMAT JSON) ${sql}`)
    const nodes = explained?.['QUERY PLAN'].flatMap(({ Plan }) => flatten(Plan)) ?? []
    const node = nodes.find(({ Alias }) => Alias === alias)
    if (node === undefined) throw new Error(`nothing reads ${alias}: ${JSON.stringify(nodes)}`)
    return node
  } finally {
    client.release(true)
  }
}

function flatten (node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)]
}

const since = new Date(Date.now() - 3_600_000).toISOString()
const filters: Record<string, Partial<SnapshotFilter>> = {
  'at system level': {},
  'at patient level': { level: 'patient' },
  'with _since': { since },
  'with _since and _until': { level: 'patient', since, until: new Date(Date.now() + 3_600_000).toISOString() },
  'of a group': { level: 'group', groupId: 'g' },
  'of one patient': { level: 'patient', patientId: 'p-1' },
}

for (const [name, values] of Object.entries(filters)) {
  const types = values.groupId === undefined && values.patientId === undefined ? ['Patient', 'Observation'] : ['Observation']
  for (const type of types) {
    t.test(`rows of ${type} are counted ${name} by an index alone`, async (t) => {
      const filter = filterOf({ types: [type], ...values })
      t.equal((await planOf('r', toCountQuery(type, filter, source), filter))['Node Type'], 'Index Only Scan')
    })
  }
}

t.test('a range of a table is read with the index of deleted patients, not with all patients', async (t) => {
  const filter = filterOf({ types: ['Observation'] })
  const copy = toCopyQuery('Observation', [{ sql: 'r.resource', isMeasured: false, path: '' }], filter, source, { from: 0, to: 300 }, 1)
  const sql = /^COPY \((.*)\) TO STDOUT/.exec(copy)?.[1] ?? ''
  t.match(await planOf('p', sql, filter), { 'Node Type': 'Index Only Scan', 'Index Name': 'patients_deleted' })
  t.match(await planOf('r', sql, filter), { 'Node Type': 'Tid Range Scan' })
})
