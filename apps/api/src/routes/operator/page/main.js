import { byId, setClass, setText } from './dom.js'
import { forgetExports, showExports } from './exports.js'
import { toClock } from './format.js'
import { ask, isSignedIn, Refused, signInWithKey, signInWithToken, signOut } from './session.js'
import { forgetSummary, showSummary } from './summary.js'

const everyMs = 2_000

/** The pages that were left for older ones: where each began. */
let before = []
let after = null
let next = null
let timer
/** Of the refresh that counts: answers to an older one come too late. */
let turn = 0

function showSignIn (problem) {
  signOut()
  turn++
  clearTimeout(timer)
  forgetSummary()
  forgetExports()
  if (byId('confirm').open) byId('confirm').close()
  byId('dashboard').hidden = true
  byId('sign-out').hidden = true
  byId('sign-in').hidden = false
  byId('sign-in-problem').hidden = problem === undefined
  setText(byId('sign-in-problem'), problem ?? '')
  setState('')
}

function setState (text, isBad = false) {
  setText(byId('state'), text)
  setClass(byId('state'), isBad ? 'bad' : '')
}

/** Asks for what is shown, shows it, and comes again. */
async function refresh () {
  clearTimeout(timer)
  const own = ++turn
  let pauseMs = everyMs
  try {
    const query = new URLSearchParams({
      ...(byId('status').value === '' ? {} : { status: byId('status').value }), ...(after === null ? {} : { after }),
    })
    const [summary, page] = await Promise.all([ask('operator/summary'), ask(`operator/exports?${query}`)])
    if (own !== turn) return
    showSummary(summary)
    showExports(page, confirmDelete)
    next = page.next
    byId('older').disabled = next === null
    byId('newer').disabled = before.length === 0
    setText(byId('page-number'), `Page ${before.length + 1}`)
    byId('sign-in').hidden = true
    byId('dashboard').hidden = false
    byId('sign-out').hidden = false
    setState(`Updated ${toClock(page.now)}`)
  } catch (problem) {
    if (own !== turn) return
    if (problem instanceof Refused && (problem.status === 401 || problem.status === 403)) {
      showSignIn(problem.status === 401 ? `Signed out: ${problem.message}` : problem.message)
      return
    }
    if (byId('dashboard').hidden) {
      showSignIn(problem.message)
      return
    }
    setState(`${problem.message}: what is shown is old`, true)
    pauseMs = Math.max(everyMs, 1_000 * (problem.retryAfterSeconds ?? 0))
  }
  timer = setTimeout(refreshIfSeen, pauseMs)
}

function refreshIfSeen () {
  if (!document.hidden && isSignedIn()) refresh()
}

function goTo (places, place) {
  before = places
  after = place
  refresh()
}

function confirmDelete ({ id, status }) {
  const isActive = status === 'pending' || status === 'in_progress'
  setText(byId('confirm-title'), `${isActive ? 'Cancel' : 'Drop'} ${id.slice(0, 8)}?`)
  setText(byId('confirm-text'),
    isActive ? 'It stops, and what it has written is removed.' : 'Its files are removed, and cannot be downloaded again.')
  setText(byId('confirm-yes'), isActive ? 'Cancel the export' : 'Drop the export')
  byId('confirm-yes').onclick = async () => {
    byId('confirm').close()
    try {
      await ask(`fhir/r4/$export-status/${id}`, { method: 'DELETE' })
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 401) return showSignIn(`Signed out: ${problem.message}`)
      if (problem.status !== 404) setState(problem.message, true) // it was cancelled already
    }
    refresh()
  }
  byId('confirm').showModal()
}

async function signIn (work, form) {
  const button = form.querySelector('button')
  button.disabled = true
  byId('sign-in-problem').hidden = true
  setState('Signing in')
  try {
    await work()
    form.reset()
    before = []
    after = null
    await refresh()
    if (isSignedIn()) byId('main').focus({ preventScroll: true })
  } catch (problem) {
    showSignIn(problem.message)
  } finally {
    button.disabled = false
  }
}

byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault()
  signIn(async () => { signInWithToken(byId('token').value) }, event.target)
})
byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault()
  signIn(async () => { await signInWithKey(byId('client-id').value.trim(), await byId('key-file').files[0].text()) }, event.target)
})
byId('sign-out').addEventListener('click', () => { showSignIn() })
byId('confirm-no').addEventListener('click', () => { byId('confirm').close() })
byId('status').addEventListener('change', () => { goTo([], null) })
byId('older').addEventListener('click', () => { goTo([...before, after], next) })
byId('newer').addEventListener('click', () => { goTo(before.slice(0, -1), before.at(-1) ?? null) })
document.addEventListener('visibilitychange', refreshIfSeen)
