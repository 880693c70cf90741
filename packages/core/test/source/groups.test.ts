import { sql } from 'kysely'
import t from 'tap'
import { findGroupLine, findGroupLines, findMemberIds, findPatientIds, isGroup, readSource } from '../../src/source/index.ts'
import { openSourceDatabase } from '../fixtures/source-database.ts'

t.test('groups, their members, and who of some patients is one', async t => {
  const { db } = await openSourceDatabase(t)
  await sql`INSERT INTO source.patients (id, deleted_at) VALUES ('ada', NULL), ('bea', NULL), ('carl', NULL), ('gone', now())`.execute(db)
  await sql`INSERT INTO source.patient_groups (id, active, identifier, deleted_at, resource) VALUES
    ('a', true, '[{"value": "7"}]', NULL, NULL), ('b', false, NULL, NULL, NULL), ('c', true, NULL, now(), NULL),
    ('d', NULL, NULL, NULL,
    '{"type":"person","actual":true,"member":[{"entity":{"reference":"Patient/x"}},{"entity":{"reference":"Patient/y"}}]}'),
      ('e', NULL, '"x"', NULL, NULL)`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id, inactive, deleted_at, period_start) VALUES
    ('1', 'a', 'ada', NULL, NULL, '2024'), ('2', 'a', 'bea', true, NULL, NULL), ('3', 'a', 'carl', false, now(), NULL),
    ('4', 'a', 'gone', false, NULL, NULL), ('5', 'c', 'ada', false, NULL, NULL)`.execute(db)
  await sql`SET TimeZone TO 'America/New_York'`.execute(db)
  const source = await readSource(db)
  const groupOf = async (id: string, from = source) => {
    const line = await findGroupLine(db, from, id)
    return line !== undefined && 'json' in line ? JSON.parse(line.json) : line
  }

  t.match(await groupOf('a'), {
    id: 'a',
    meta: { lastUpdated: /Z$/ },
    type: 'person',
    actual: true,
    active: true,
    identifier: [{ value: '7' }],
    quantity: 2,
    member: [{ entity: { reference: 'Patient/ada' }, period: { start: '2024' } }, { entity: { reference: 'Patient/bea' }, inactive: true }],
  })
  const { meta, ...empty } = await groupOf('b')
  t.strictSame(empty, { resourceType: 'Group', active: false, id: 'b', type: 'person', actual: true, quantity: 0 })
  t.equal(await groupOf('c'), undefined)
  t.match(await groupOf('d'), { id: 'd', member: [{}, {}] })
  t.match(await groupOf('e'), { issue: { severity: 'error', type: 'Group', id: 'e', path: 'identifier' } })
  t.equal(await groupOf('f'), undefined)

  const listed = async (maxMembers: number) => (await findGroupLines(db, source, { after: undefined, limit: 10, maxMembers })).map(line =>
    'json' in line ? [line.id, JSON.parse(line.json).member?.length ?? 0, JSON.parse(line.json).meta.tag !== undefined] : line.issue.path)
  t.strictSame(await listed(1), [['a', 0, true], ['b', 0, false], ['d', 0, true], 'identifier'])
  t.strictSame(await listed(2), [['a', 2, false], ['b', 0, false], ['d', 0, true], 'identifier'])
  t.strictSame(await listed(4), [['a', 2, false], ['b', 0, false], ['d', 2, false], 'identifier'])

  t.strictSame(await Promise.all(['a', 'c', 'f'].map(async id => await isGroup(db, source, id))), [true, false, false])
  t.strictSame(await findPatientIds(db, source, ['ada', 'gone', 'nobody']), new Set(['ada', 'gone']))
  t.strictSame(await findMemberIds(db, source, 'a', ['ada', 'bea', 'carl', 'gone', 'nobody']), new Set(['ada']))
  t.strictSame(await findMemberIds(db, source, 'b', ['ada']), new Set())

  await sql`DROP TABLE source.patient_group_members, source.patients`.execute(db)
  await sql`ALTER TABLE source.patient_groups DROP COLUMN deleted_at, DROP COLUMN name, DROP COLUMN resource`.execute(db)
  const bare = await readSource(db)
  t.match(await groupOf('a', bare), { id: 'a', quantity: 0, member: undefined })
  t.match(await groupOf('c', bare), { id: 'c' })
  t.strictSame(await findPatientIds(db, bare, ['ada']), new Set())
  t.strictSame(await findMemberIds(db, bare, 'a', ['ada']), new Set())
  await sql`DROP TABLE source.patient_groups`.execute(db)
  const none = await readSource(db)
  t.equal(await isGroup(db, none, 'a'), false)
  t.equal(await findGroupLine(db, none, 'a'), undefined)
  t.strictSame(await findGroupLines(db, none, { after: undefined, limit: 10, maxMembers: 1 }), [])
})
