import { byId, element, svg } from './dom.js'
import { secondsBetween, toBytes, toClock, toCount, toDuration } from './format.js'

/** Seconds. A longer wait without a worker is worth a look. */
const longWait = 30
const nearlyFull = 0.9

let shown = ''

/** Figures, charts and workers; drawn anew only when they say something else. */
export function showSummary (summary) {
  const { now, ...rest } = summary
  const minute = Math.floor(new Date(now) / 60_000) // of the workers' uptime
  const text = JSON.stringify([rest, minute], (key, value) => key === 'seen' ? undefined : value)
  if (text === shown) return
  shown = text
  byId('figures').replaceChildren(...toFigures(summary))
  byId('charts').replaceChildren(...toCharts(summary.hours))
  byId('workers').replaceChildren(...toWorkers(summary))
}

export function forgetSummary () {
  shown = ''
  for (const id of ['figures', 'charts', 'workers']) byId(id).replaceChildren()
}

function toFigures ({ exports, waiting, workers, kept, disk }) {
  const waits = waiting.count > 0
  const busy = workers.filter(({ running }) => running.length > 0).length
  return [
    figure('Waiting', toCount(waiting.count), waits ? `the first for ${toDuration(waiting.seconds ?? 0)}` : 'nobody waits', {
      isBad: waits && waiting.seconds > longWait,
    }),
    figure('Running', toCount(exports.in_progress), `${toCount(exports.pending)} pending`),
    figure('Workers alive', toCount(workers.length), workers.length === 0 ? 'no export can run' : `${toCount(busy)} at work`,
      { isBad: workers.length === 0 }),
    figure('Completed', toCount(exports.completed), 'and not expired'),
    figure('Failed', toCount(exports.failed), 'and not expired', { isBad: exports.failed > 0 }),
    toStore(kept, disk),
  ]
}

function toStore (kept, disk) {
  const files = `${toCount(kept.files)} ${kept.files === 1 ? 'file' : 'files'}`
  if (disk === null) return figure('Store', toBytes(kept.bytes), `${files}; the store does not say how full it is`, { isBad: true })
  const share = disk.capacity === 0 ? 1 : disk.used / disk.capacity
  const bar = element('progress', { max: 1, value: share })
  bar.setAttribute('aria-label', 'Disk of the store')
  const more = `${files}; disk ${Math.round(100 * share)}% of ${toBytes(disk.capacity)}`
  return figure('Store', toBytes(kept.bytes), more, { isBad: share > nearlyFull, extra: [bar] })
}

function figure (name, value, more, { isBad = false, extra = [] } = {}) {
  return element('div', { className: isBad ? 'bad' : '' },
    element('dt', {}, name),
    element('dd', {}, element('div', { className: 'value' }, value), ...extra, element('div', { className: 'more' }, more)))
}

function toWorkers ({ workers, now }) {
  if (workers.length === 0) return [element('li', {}, 'No worker has been seen lately.')]
  return workers.map(({ host, started, running }) => element('li', {},
    element('strong', {}, host),
    element('span', { className: 'hint' }, toUptime(secondsBetween(started, now))),
    running.length === 0 ? 'idle' : 'runs ',
    ...running.flatMap((id, i) => [i === 0 ? '' : ', ', element('code', { title: id }, id.slice(0, 8))])))
}

/** In whole minutes: the text stays the same for a while. */
function toUptime (seconds) {
  return seconds < 60 ? 'up for less than a minute' : `up for ${toDuration(60 * Math.floor(seconds / 60))}`
}

const ends = [['completed', 'completed'], ['failed', 'failed'], ['cancelled', 'cancelled']]

function toCharts (hours) {
  const sum = (name) => hours.reduce((total, hour) => total + hour[name], 0)
  return [
    chart('Exports asked for', hours, [['requested', 'in_progress']], toCount, `${toCount(sum('requested'))} in all`),
    chart('Exports ended', hours, ends, toCount, ends.map(([name]) => `${toCount(sum(name))} ${name}`).join(', '), true),
    chart('Downloaded', hours, [['bytes', 'in_progress']], toBytes, `${toBytes(sum('bytes'))}, ${toCount(sum('downloads'))} downloads`),
  ]
}

const [barWidth, step, height] = [8, 10, 60]

/** Bars of 24 hours, of one or several kinds on top of each other. */
function chart (title, hours, kinds, toText, total, hasLegend = false) {
  const highest = Math.max(0, ...hours.map((hour) => kinds.reduce((sum, [name]) => sum + hour[name], 0)))
  const bars = hours.map((hour, i) => {
    let top = height
    const parts = kinds.map(([name, kind]) => {
      const size = hour[name] === 0 ? 0 : Math.max(1, hour[name] / highest * (height - 2))
      top -= size
      return svg('rect', { class: kind, x: i * step + 1, y: top, width: barWidth, height: size })
    })
    const end = new Date(new Date(hour.hour).getTime() + 3_600_000)
    const told = kinds.map(([name]) => `${toText(hour[name])}${kinds.length > 1 ? ` ${name}` : ''}`).join(', ')
    return svg('g', {}, svg('title', {}, `${toClock(hour.hour)}–${toClock(end)}: ${told}`),
      svg('rect', { class: 'hit', x: i * step, y: 0, width: step, height }), ...parts)
  })
  const legend = hasLegend
    ? [element('span', { className: 'legend' }, ...kinds.map(([name, kind]) => element('span', { className: kind }, name)))]
    : []
  return element('figure', { className: 'chart' },
    element('figcaption', {}, title, element('span', { className: 'total' }, total)),
    svg('svg',
      {
        viewBox: `0 0 ${hours.length * step} ${height}`, preserveAspectRatio: 'none', role: 'img',
        'aria-label': `${title}, by the hour: ${total}`,
      },
      ...bars),
    element('div', { className: 'ends' }, element('span', {}, toClock(hours[0]?.hour ?? 0)),
      element('span', {}, highest === 0 ? 'none' : `at most ${toText(highest)}`), element('span', {}, 'now')),
    ...legend)
}
