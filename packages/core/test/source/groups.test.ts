import { sql } from 'kysely'
import t from 'tap'
import { findGroup, findGroups, findMemberIds, findPatientIds, isGroup } from '../../src/source/index.ts'
import { openSourceDatabase } from '../fixtures/source-database.ts'

t.test('groups, their members, and who of some patients is one', async t => {
  const { db } = await openSourceDatabase(t)
  await sql`ALTER TABLE source.patient_groups DISABLE TRIGGER ALL`.execute(db)
  await sql`INSERT INTO source.patients (id, deleted_at) VALUES ('ada', NULL), ('bea', NULL), ('carl', NULL), ('gone', now())`.execute(db)
  await sql`INSERT INTO source.patient_groups (id, updated_at, active, identifier, deleted_at) VALUES
    ('a', '2024-01-31 10:30:00.5+01', true, '[{"value": "7"}]', NULL), ('b', '2024-01-31 09:30:00+00', false, NULL, NULL), ('c', now(), true, NULL, now())`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id, inactive, deleted_at) VALUES
    ('1', 'a', 'ada', NULL, NULL), ('2', 'a', 'bea', true, NULL), ('3', 'a', 'carl', false, now()), ('4', 'a', 'gone', false, NULL), ('5', 'c', 'ada', false, NULL)`.execute(db)
  await sql`SET TimeZone TO 'America/New_York'`.execute(db)

  const group = await findGroup(db, 'a')
  t.match(group, { group: { id: 'a', active: 't', identifier: '[{"value": "7"}]', name: null }, memberCount: 2, members: [{ patient_id: 'ada', inactive: null }, { patient_id: 'bea', inactive: 't' }] })
  t.equal(group?.members.length, 2)
  t.notMatch(group?.group.updated_at, /^2024/, 'a change of its members is a change of the group')
  t.match(await findGroup(db, 'b'), { group: { active: 'f', updated_at: '2024-01-31 09:30:00+00' }, memberCount: 0 })
  t.equal(await findGroup(db, 'c'), undefined)
  t.equal(await findGroup(db, 'd'), undefined)
  t.match((await findGroups(db, { after: undefined, limit: 10, maxMembers: 1 })).map(({ group: { id }, members }) => [id, members.length]), [['a', 0], ['b', 0]])
  t.match((await findGroups(db, { after: undefined, limit: 10, maxMembers: 2 })).map(({ group: { id }, members }) => [id, members.length]), [['a', 2], ['b', 0]])

  t.strictSame(await Promise.all(['a', 'c', 'd'].map(async id => await isGroup(db, id))), [true, false, false])
  t.strictSame(await findPatientIds(db, ['ada', 'gone', 'nobody']), new Set(['ada', 'gone']))
  t.strictSame(await findMemberIds(db, 'a', ['ada', 'bea', 'carl', 'gone', 'nobody']), new Set(['ada']))
  t.strictSame(await findMemberIds(db, 'b', ['ada']), new Set())
})
