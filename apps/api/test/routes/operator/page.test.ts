import { pathToFileURL } from 'node:url'
import { cancelExport, createExport, findExport } from '@fhir-bulk-export/core/exports'
import { eventually, givenPatients } from '@fhir-bulk-export/core/testing/database'
import { startWorker } from '@fhir-bulk-export/stack/commands'
import { getServerUrl, needs } from '@fhir-bulk-export/stack/optional-servers'
import { exportJWK } from 'jose'
import { sql } from 'kysely'
import { chromium, type Browser, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { createBackendClient, createClientKey } from '../../fixtures/backend-client.ts'
import { listen, register, type ListeningApi } from '../../fixtures/client-service.ts'
import { admin } from '../../fixtures/exports.ts'
import { inSeconds, signToken } from '../../fixtures/token.ts'
import { givenManyExports } from './fixtures/many-exports.ts'

/** The token of an operator, and what of a patient must never be on the page. */
const operator = { ...admin, sub: 'olga@hospital.example' }
const secretPatient = 'patient-4711'

t.test('the operator\'s page', needs('chromium'), async (t) => {
  const api = await listen(t, { MAX_REQUESTS_PER_MINUTE: '60000' })
  const { db, config } = api
  const origin = new URL(api.base).origin
  await givenPatients(db, 60_000)
  await sql`INSERT INTO source.patients (id, name) VALUES (${secretPatient}, '[{"family":"Unmistakable"}]')`.execute(db)
  const worker = await startWorker({
    env: {
      DATABASE_URL: config.DATABASE_URL,
      QUEUE_URL: config.QUEUE_URL,
      IPFS_URL: pathToFileURL(t.testdirName).href,
      PUBLIC_URL: origin,
      EXPORT_ATTEMPTS: '1',
    },
  })
  t.teardown(worker.stop)
  const browser = await chromium.launch({ executablePath: getServerUrl('chromium'), args: ['--no-sandbox'] })
  t.teardown(async () => { await browser.close() })

  await t.test('by keyboard alone: sign in with a token, watch an export, cancel it', async (t) => {
    const { page, messages } = await open(t, browser, origin)
    await page.keyboard.press('Tab')
    t.equal(await page.locator(':focus').textContent(), 'Skip to the content')
    await tabTo(page, '#token')
    await page.keyboard.insertText(signToken(operator))
    await tabTo(page, '#token-form button')
    await page.keyboard.press('Enter')
    await page.locator('#dashboard').waitFor()
    t.equal(await page.locator(':focus').getAttribute('id'), 'main')
    await page.getByText('There are no such exports').waitFor()

    // What it reads of Provenance does not end; what it counts of it does.
    await sql`
      CREATE FUNCTION public.hold () RETURNS jsonb STABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END';
      ALTER TABLE source.provenance_events SET SCHEMA public;
      CREATE VIEW source.provenance_events AS
        SELECT id, updated_at, patient_id, public.hold() AS resource FROM public.provenance_events`.execute(db)
    const id = await start(api, '?_type=Patient,DocumentReference,Consent,Provenance')
    const row = page.locator(`tr[data-id="${id}"]`)
    await row.getByText('in progress').waitFor()
    const held = await eventually(async () => {
      const found = await findExport(db, id)
      return found?.exported_resources === 180_001 && found.total_resources === 240_001 && found
    })
    await row.getByText(`${held.progress}%`, { exact: true }).waitFor()
    t.equal(await row.locator('progress').getAttribute('value'), String(held.progress))
    await row.getByText(/^[\d,]+ of 240,001 resources$/).waitFor()
    t.match(await row.innerText(), /olga@hospital\.example[^]*Patient, Consent, DocumentReference\s*and 1 more/)
    await page.locator('#workers').getByText(id.slice(0, 8)).waitFor()

    await tabTo(page, `tr[data-id="${id}"] button`)
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    t.equal(await page.locator(':focus').innerText(), 'Keep it', 'the harmless answer comes first')
    await page.keyboard.press('Escape')
    t.match(await findExport(db, id), { status: 'in_progress' })
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await row.getByText('cancelled').waitFor()
    t.match(await findExport(db, id), { status: 'cancelled' })
    t.equal(await row.locator('button').isVisible(), false)
    const audit = db.selectFrom('bulk_export_audit').select(['event', 'subject']).where('export_id', '=', id).where('process', '=', 'api')
    t.strictSame(await audit.orderBy('recorded_at').execute(),
      ['requested', 'cancelled'].map((event) => ({ event, subject: operator.sub })))
    t.strictSame(messages, [])
  })

  await t.test('an export that fails says why, one that completes has its size and can be dropped', async (t) => {
    await sql`
      ALTER TABLE source.consents SET SCHEMA public;
      CREATE VIEW source.consents AS
        SELECT id, updated_at, patient_id, to_jsonb(1 / (length(id) - length(id))) AS resource FROM public.consents`.execute(db)
    const { page, messages } = await signIn(t, browser, origin)
    const failed = await start(api, '?_type=Consent')
    const completed = await start(api, '?_type=Patient')
    await page.locator(`tr[data-id="${failed}"]`).getByText('failed', { exact: true }).waitFor()
    t.match(await page.locator(`tr[data-id="${failed}"] .reason`).innerText(),
      'source.consents holds a value that PostgreSQL cannot convert')
    const row = page.locator(`tr[data-id="${completed}"]`)
    await row.getByText('60,001 resources', { exact: true }).waitFor()
    t.match(await row.innerText(), /\d MiB\s*1 file/)
    await row.locator('button').click()
    await page.getByRole('button', { name: 'Drop the export' }).click()
    await row.getByText('cancelled').waitFor()
    t.match(await findExport(db, completed), { status: 'cancelled', dropped_at: Date })
    await page.locator('#charts').getByText('1 completed, 1 failed').first().waitFor()
    t.strictSame(messages, [])
  })

  await t.test('a client signs in with its key, of either kind; the next token is got without being asked', async (t) => {
    for (const alg of ['ES384', 'RS384'] as const) {
      const key = await createClientKey(alg, `key-${alg}`)
      await register(api, createBackendClient(`operations-${alg}`, key))
      const { page, messages } = await open(t, browser, origin)
      await page.clock.install({ time: Date.now() - 30_000 }) // so that the assertion of the later clock is still near enough
      await page.getByLabel('Client id').fill(`operations-${alg}`)
      const text = JSON.stringify({ ...await exportJWK(key.privateKey), kid: `key-${alg}`, alg })
      await page.getByLabel('Private key').setInputFiles({ name: 'key.json', mimeType: 'application/json', buffer: Buffer.from(text) })
      await page.getByRole('button', { name: 'with the key' }).click()
      await page.locator('#dashboard').waitFor()
      const renewed = page.waitForResponse(`${origin}/auth/token`)
      await page.clock.fastForward(245_000)
      t.equal((await renewed).status(), 200)
      t.strictSame(messages, [])
    }
  })

  await t.test('whoever may not see all exports is told so, and sees nothing', async (t) => {
    const key = await createClientKey('ES384', 'narrow')
    const narrow = createBackendClient('narrow', key)
    await register(api, narrow, { scopes: ['system/Patient.rs'] })
    const { access_token: ofNarrow } = await narrow.getToken(api.tokenUrl, 'system/Patient.rs')
    for (const [token, message] of [
      [ofNarrow, 'do not cover all types'],
      [signToken({ ...admin, role: 'PATIENT', patient_id: secretPatient }), 'Only an ADMIN may do this'],
      ['nonsense', 'malformed, expired, not yet valid or wrongly signed'],
    ] as const) {
      const { page } = await open(t, browser, origin)
      await page.getByLabel('Bearer token').fill(token)
      await page.getByRole('button', { name: 'with the token' }).click()
      await page.getByRole('alert').getByText(message).waitFor()
      t.equal(await page.locator('#dashboard').isVisible(), false)
    }
  })

  await t.test('a token that expires ends the sight, and is kept nowhere', async (t) => {
    const token = signToken(operator)
    const { page } = await signIn(t, browser, origin, token)
    const expired = `Bearer ${signToken({ ...operator, exp: inSeconds(-61) })}` // 60 s of tolerance
    await page.route('**/operator/*', async (route) => {
      await route.continue({ headers: { ...await route.request().allHeaders(), authorization: expired } })
    })
    await page.getByRole('alert').getByText('Signed out').waitFor()
    t.equal(await page.locator('#exports tbody tr').count(), 0)
    t.equal(await page.getByLabel('Bearer token').inputValue(), '')
    t.strictSame(await page.context().storageState(), { cookies: [], origins: [] })
    t.equal(await page.evaluate('sessionStorage.length'), 0)
    t.equal(page.url(), `${origin}/operator`)
    t.notMatch(await page.content(), token)
  })

  await t.test('nothing that names a patient reaches the page, whatever an export was asked for with', async (t) => {
    const common = { profile: 'respond-async', level: 'patient', group_id: null, issuer: '' } as const
    const values = { ...common, types: ['Patient'], ignored: [secretPatient] }
    const request = `/fhir/r4/Patient/$export?_typeFilter=Observation%3Fsubject%3DPatient%2F${secretPatient}`
    const byPatient = '00000000-0000-4000-8000-000000000001'
    const who = { requester: secretPatient, patient_id: secretPatient }
    const from = { subject: secretPatient, client_id: 'app' }
    await createExport(db, { ...values, ...who, id: byPatient, request, requester_role: 'PATIENT' }, limits, from)
    const byAdmin = '00000000-0000-4000-8000-000000000002'
    const asked = { parameters: { patient: [secretPatient], _typeFilter: [`Observation?subject=Patient/${secretPatient}`] } }
    const byOlga = { requester: 'a', requester_role: 'ADMIN', patient_id: null } as const
    await createExport(db, { ...values, ...asked, ...byOlga, id: byAdmin, request }, limits, { subject: 'olga' })
    const token = signToken(operator)
    const answers: string[] = []
    const { page } = await open(t, browser, origin)
    page.on('response', (response) => {
      if (response.url().includes('/operator/')) void response.text().then((text) => answers.push(text), () => {})
    })
    await page.getByLabel('Bearer token').fill(token)
    await page.getByRole('button', { name: 'with the token' }).click()
    await page.locator(`tr[data-id="${byPatient}"]`).waitFor()
    t.match(await page.locator(`tr[data-id="${byPatient}"]`).innerText(), /app[^]*PATIENT/)
    await page.locator(`tr[data-id="${byAdmin}"] summary`).first().click()
    const seen = [await page.content(), ...answers].join('\n')
    t.match(seen, byAdmin)
    for (const secret of [secretPatient, 'Unmistakable', 'Family1', 'typeFilter', token]) t.notMatch(seen, secret)
    await Promise.all([byPatient, byAdmin].map(async (id) => await cancelExport(db, id, 3_600_000)))
  })

  await t.test('of 10,000 exports it shows a page at a time, and those of one status', async (t) => {
    await givenManyExports(db, 10_000)
    const { page, messages } = await signIn(t, browser, origin)
    const readIds = '[...document.querySelectorAll("#exports tbody tr")].map((row) => row.dataset.id)'
    const ids = async (): Promise<string[]> => await page.evaluate(readIds)
    await page.getByRole('button', { name: 'Older' }).and(page.locator(':enabled')).waitFor()
    const first = await ids()
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByText('Page 2').waitFor()
    const second = await ids()
    t.equal(new Set([...first, ...second]).size, 100)
    await page.getByRole('button', { name: 'Newer' }).click()
    await page.getByText('Page 1').waitFor()
    t.strictSame(await ids(), first)
    await page.getByLabel('Status').selectOption('failed')
    await eventually(async () => (await page.locator('#exports .badge').allInnerTexts()).every((text) => text === 'failed'))
    t.equal((await ids()).length, 50)
    t.strictSame(messages, [])
  })

  await t.test('it can be read at 360 px, in dark and light', async (t) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await signIn(t, browser, origin, signToken(operator), { colorScheme, viewport: { width: 360, height: 740 } })
      await page.locator('#exports tbody tr').first().waitFor()
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, 'nothing sticks out')
      t.same(await page.evaluate(findFaint), [], `every text of ${colorScheme} stands out from its ground`)
    }
  })
})

const limits = { maxActive: 10, maxPerMinute: 1_000 }

type PageOptions = Parameters<Browser['newContext']>[0]

/** A page in a context of its own, and what its console says. */
async function open (t: Test, browser: Browser, origin: string, options: PageOptions = {}): Promise<{ page: Page, messages: string[] }> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(0) // the runner's limit counts
  t.teardown(async () => { await context.close() })
  const page = await context.newPage()
  const messages: string[] = []
  page.on('console', (message) => { messages.push(message.text()) })
  page.on('pageerror', (error) => { messages.push(error.message) })
  await page.goto(`${origin}/operator`)
  return { page, messages }
}

async function signIn (
  t: Test, browser: Browser, origin: string, token = signToken(operator), options: PageOptions = {}
): ReturnType<typeof open> {
  const opened = await open(t, browser, origin, options)
  await opened.page.getByLabel('Bearer token').fill(token)
  await opened.page.getByRole('button', { name: 'with the token' }).click()
  await opened.page.locator('#dashboard').waitFor()
  return opened
}

/** @throws unless the Tab key leads there. */
async function tabTo (page: Page, selector: string): Promise<void> {
  for (let i = 0; i < 40; i++) {
    if (await page.locator(`${selector}:focus`).count() > 0) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the Tab key does not lead to ${selector}`)
}

async function start (api: ListeningApi, query: string): Promise<string> {
  const response = await fetch(`${api.base}/Patient/$export${query}`, { headers: { authorization: `Bearer ${signToken(operator)}` } })
  return String(response.headers.get('content-location')).slice(-36)
}

/** WCAG 2.2, 1.4.3: texts whose contrast is below 4.5, of elements that have a text of their own. */
const findFaint = `(() => {
  const toRgb = (color) => color.match(/[\\d.]+/g).map(Number)
  const toLuminance = (color) => {
    const toLinear = (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    const [r, g, b] = toRgb(color).map((value) => toLinear(value / 255))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const findGround = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor
      if ((toRgb(color)[3] ?? 1) === 1) return color
    }
    return 'rgb(255, 255, 255)'
  }
  const isText = (node) => node.nodeType === 3 && node.textContent.trim() !== ''
  return [...document.body.querySelectorAll('*')].filter((element) => {
    if (!element.checkVisibility() || element.matches(':disabled, svg *, option, .unseen, .skip')) return false
    if (![...element.childNodes].some(isText)) return false
    const [light, dark] = [toLuminance(getComputedStyle(element).color), toLuminance(findGround(element))].sort((a, b) => b - a)
    return (light + 0.05) / (dark + 0.05) < 4.5
  }).map((element) => element.outerHTML)
})()`
