import { byId, element, setClass, setText } from './dom.js'
import { secondsBetween, toBytes, toCount, toDuration, toMoment } from './format.js'

const labels = ['Export', 'Status', 'Started by', 'Types', 'Size', 'Age', 'Action']
const fewTypes = 3

/** Rows by the id of their export, kept as long as they are shown: a row stays opened or focused. */
const rows = new Map()

/** `onDelete` is called with the export whose button was pressed. */
export function showExports ({ exports, now }, onDelete) {
  const body = byId('exports').tBodies[0]
  const ids = new Set(exports.map(({ id }) => id))
  for (const [id, row] of rows) {
    if (ids.has(id)) continue
    row.element.remove()
    rows.delete(id)
  }
  exports.forEach((one, i) => {
    let row = rows.get(one.id)
    if (row === undefined) {
      row = createRow(one.id, onDelete)
      rows.set(one.id, row)
    }
    row.update(one, now)
    if (body.rows[i] !== row.element) body.insertBefore(row.element, body.rows[i] ?? null)
  })
  byId('none').hidden = exports.length > 0
  byId('exports').hidden = exports.length === 0
}

export function forgetExports () {
  for (const { element: row } of rows.values()) row.remove()
  rows.clear()
}

function createRow (id, onDelete) {
  const parts = {
    more: element('div'), level: element('span', { className: 'under' }),
    badge: element('span'), percent: element('span', { className: 'beside' }), bar: element('progress', { max: 100 }),
    count: element('span', { className: 'under' }), reason: element('span', { className: 'reason' }),
    who: element('span'), role: element('span', { className: 'under' }),
    types: element('span'), others: element('details', {}, element('summary'), element('div')),
    size: element('span'), files: element('span', { className: 'under' }),
    age: element('time'), took: element('span', { className: 'under' }),
    button: element('button', { type: 'button', className: 'danger' }),
  }
  parts.bar.setAttribute('aria-label', `Progress of ${id.slice(0, 8)}`)
  const cells = [
    [element('details', {}, element('summary', {}, element('code', { title: id }, id.slice(0, 8))), parts.more), parts.level],
    [element('div', {}, parts.badge, parts.percent), parts.bar, parts.count, parts.reason],
    [parts.who, parts.role], [parts.types, parts.others], [parts.size, parts.files], [parts.age, parts.took], [parts.button],
  ]
  const row = element('tr', {}, ...cells.map((children, i) => {
    const cell = element('td', {}, element('div', {}, ...children))
    cell.dataset.label = labels[i]
    return cell
  }))
  row.dataset.id = id
  let current
  parts.button.addEventListener('click', () => { onDelete(current) })
  return {
    element: row,
    update (one, now) {
      current = one
      update(parts, one, now)
    },
  }
}

function update (parts, one, now) {
  const isActive = one.status === 'pending' || one.status === 'in_progress'
  setText(parts.level, `${one.level} level`)
  setText(parts.more, [one.id, `asked for ${toMoment(one.created)}`, ...(one.started === null ? [] : [`begun ${toMoment(one.started)}`]),
    ...(one.ended === null ? [] : [`ended ${toMoment(one.ended)}`]), `attempt ${one.attempt}, ${one.failures} failed`].join(' · '))

  setClass(parts.badge, `badge ${one.status}`)
  setText(parts.badge, `${one.status.replace('_', ' ')}${one.isDropped && one.status !== 'cancelled' ? ', dropped' : ''}`)
  const hasBar = one.status === 'in_progress'
  parts.bar.hidden = !hasBar
  if (hasBar && parts.bar.value !== one.progress) parts.bar.value = one.progress
  setText(parts.percent, hasBar ? `${one.progress}%` : '')
  setText(parts.count, toCountText(one))
  setText(parts.reason, one.reason === null ? '' : `${isActive ? 'Last attempt: ' : ''}${one.reason}`)

  setText(parts.who, one.client ?? one.user ?? (one.role === 'PATIENT' ? 'a patient' : 'not named'))
  setText(parts.role, one.client !== null && one.user !== null && one.user !== one.client ? `${one.role} ${one.user}` : one.role)

  updateTypes(parts, one.types)
  setText(parts.size, one.files === 0 ? '–' : toBytes(one.bytes))
  setText(parts.files, one.files === 0 ? '' : `${toCount(one.files)} ${one.files === 1 ? 'file' : 'files'}`)
  setText(parts.age, toDuration(secondsBetween(one.created, now)))
  parts.age.dateTime = one.created
  parts.age.title = toMoment(one.created)
  setText(parts.took, toTookText(one, now))

  const action = isActive ? 'Cancel' : 'Drop'
  setText(parts.button, action)
  parts.button.setAttribute('aria-label', `${action} ${one.id.slice(0, 8)}`)
  parts.button.hidden = one.isDropped
}

function toCountText ({ status, isRunning, exportedResources, totalResources }) {
  if (status === 'pending') return 'waits for a worker'
  if (status === 'in_progress' && !isRunning) return 'waits for its next attempt'
  if (totalResources === 0) return status === 'in_progress' ? 'counting' : ''
  return status === 'completed'
    ? `${toCount(exportedResources)} resources`
    : `${toCount(exportedResources)} of ${toCount(totalResources)} resources`
}

function toTookText ({ status, created, started, ended }, now) {
  if (status === 'pending') return `waiting for ${toDuration(secondsBetween(created, now))}`
  if (started === null) return ''
  return ended === null ? `running for ${toDuration(secondsBetween(started, now))}` : `took ${toDuration(secondsBetween(started, ended))}`
}

function updateTypes ({ types, others }, all) {
  const rest = all.slice(fewTypes)
  setText(types, all.slice(0, fewTypes).join(', ') || 'none')
  others.hidden = rest.length === 0
  setText(others.firstElementChild, `and ${rest.length} more`)
  setText(others.lastElementChild, rest.join(', '))
}
