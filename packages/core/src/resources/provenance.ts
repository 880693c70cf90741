import { toConcept } from './coding.ts'
import { constant, define, type Texts } from './definition.ts'
import { ValueProblem } from './value-problem.ts'

/** https://hl7.org/fhir/R4/provenance.html */
export const provenance = define('Provenance', 'provenance_events', {
  over: {
    target: 'target',
    occurred_period_start: 'occurredPeriod.start',
    occurred_period_end: 'occurredPeriod.end',
    occurred_date_time: 'occurredDateTime',
    recorded: 'recorded',
    policy: 'policy',
    location: 'location',
    reason: 'reason',
    activity: 'activity',
    agent: 'agent',
    entity: 'entity',
  },
  givesWay: ['occurred_period_start', 'occurred_period_end'],
  other: { action: 'text' },
  fill: { activity: toActivity },
  defaults: { agent: constant('[{"who":{"display":"Unknown"}}]') },
})

/**
 * https://terminology.hl7.org/CodeSystem-v3-DataOperation.html. A view or a share is not in it: a Provenance tells how its target came to
 * be as it is.
 */
const displays = new Map([['CREATE', 'create'], ['UPDATE', 'revise'], ['DELETE', 'delete'], ['APPEND', 'append'], ['NULLIFY', 'nullify']])

function toActivity ({ action }: Texts): string | undefined {
  if (action === undefined || action === '') return undefined
  const display = displays.get(action)
  if (display === undefined) {
    throw new ValueProblem(`must be one of ${[...displays.keys()].join(', ')} where it is made of the column action`)
  }
  return toConcept('http://terminology.hl7.org/CodeSystem/v3-DataOperation', action, display)
}
