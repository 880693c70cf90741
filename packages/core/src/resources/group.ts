import { define } from './definition.ts'

/** Live rows of the group `r`. A deleted member is none, and neither is a deleted patient. */
const members = `FROM source.patient_group_members m WHERE m.group_id::text = r.id::text AND m.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM source.patients p WHERE p.id::text = m.patient_id::text AND p.deleted_at IS NOT NULL)`

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
    quantity: `(SELECT count(*)::text ${members})`,
    member: `(SELECT json_agg(json_strip_nulls(json_build_object('entity', json_build_object('reference', 'Patient/' || m.patient_id),
      'period', CASE WHEN num_nonnulls(m.period_start, m.period_end) > 0 THEN json_build_object('start', m.period_start, 'end', m.period_end) END,
      'inactive', m.inactive)) ORDER BY m.patient_id, m.id)::text ${members})`,
  },
  defaults: {
    type: () => '"person"',
    actual: () => 'true',
    quantity: ({ quantity }) => quantity,
    member: ({ member }) => member,
  },
})
