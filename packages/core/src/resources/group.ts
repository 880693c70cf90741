import { constant, define } from './definition.ts'

/**
 * https://hl7.org/fhir/R4/group.html. A row without `resource` is a group of persons, with the live rows of patient_group_members as
 * its members.
 */
export const group = define('Group', 'patient_groups', {
  over: {
    identifier: 'identifier',
    active: 'active',
    name: 'name',
    code: 'code',
    managing_entity: 'managingEntity',
  },
  computed: {
    quantity: (members) => `(SELECT count(*)::text FROM ${members} m WHERE m.group_id = r.id::text)`,
    member: (members) =>
      `(SELECT json_agg(json_strip_nulls(json_build_object('entity', json_build_object('reference', 'Patient/' || m.patient_id),
      'period', CASE WHEN num_nonnulls(m.period_start, m.period_end) > 0
        THEN json_build_object('start', m.period_start, 'end', m.period_end) END,
      'inactive', m.inactive)) ORDER BY m.patient_id, m.id)::text FROM ${members} m WHERE m.group_id = r.id::text)`,
  },
  defaults: {
    type: constant('"person"'),
    actual: constant('true'),
    quantity: { toJson: (row) => row.quantity },
    member: { toJson: (row) => row.member },
  },
})
