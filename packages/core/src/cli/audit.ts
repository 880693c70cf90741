import { once } from 'node:events'
import { Type } from '@sinclair/typebox'
import { findAudit, toAuditEvent } from '../audit/index.ts'
import { databaseConfig, publicConfig, readArguments, readConfig } from '../config/index.ts'
import { assertMigrated } from '../db/index.ts'
import { ServiceError } from '../errors.ts'
import { isExportId } from '../exports/index.ts'
import { runCommand, withDatabase } from './run-command.ts'

const usage = `usage: audit --since <date> --until <date> [--export <id>] [--client <id>]

Writes what was recorded from --since on and before --until, as FHIR AuditEvents (R4, IHE BALP), a line each (NDJSON). Dates are of
ISO 8601: 2026-02-22, or 2026-02-22T15:30:00Z. Reads DATABASE_URL and PUBLIC_URL.
Exit code: 0 all was written, 2 something went wrong.`

const isoDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/

process.stdout.on('error', ({ code }: { code?: string }) => { process.exit(code === 'EPIPE' ? 0 : 2) }) // `audit … | head`
await runCommand(usage, run)

async function run (): Promise<number> {
  const { values } = readArguments({
    options: { since: { type: 'string' }, until: { type: 'string' }, export: { type: 'string' }, client: { type: 'string' } },
  })
  const { export: exportId, client: clientId } = values
  if (exportId !== undefined && !isExportId(exportId)) {
    throw new ServiceError('INVALID_PARAMETER', '--export must be the id of an export, a UUID')
  }
  const search = { since: toDate('since', values.since), until: toDate('until', values.until), exportId, clientId }
  const config = readConfig(Type.Object({ ...databaseConfig, ...publicConfig }), process.env)
  return await withDatabase('audit', config.DATABASE_URL, async (db) => {
    await assertMigrated(db)
    for await (const row of findAudit(db, search)) {
      if (!process.stdout.write(`${JSON.stringify(toAuditEvent(row, config.PUBLIC_URL))}\n`)) await once(process.stdout, 'drain')
    }
    return 0
  })
}

function toDate (name: string, text: string | undefined): Date {
  const date = new Date(text ?? '')
  if (text === undefined || !isoDate.test(text) || Number.isNaN(date.getTime())) {
    throw new ServiceError('INVALID_PARAMETER', `--${name} must be a date, such as 2026-02-22 or 2026-02-22T15:30:00Z`)
  }
  return date
}
