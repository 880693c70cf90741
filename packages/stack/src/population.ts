import { access, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { runScript } from './commands.ts'
import { CommandError } from './command-error.ts'
import { generatorVersion } from './generate/index.ts'
import { inData } from './workspace.ts'

export interface DataOptions {
  /** How many patients to invent, unless PATIENTS says so. */
  defaultPatients: number
  signal: AbortSignal
}

/** A folder of FHIR NDJSON: `DATA`, or invented patients (`PATIENTS`, `SEED`), which are kept for the next time. */
export async function findData ({ defaultPatients, signal }: DataOptions): Promise<string> {
  const given = process.env.DATA
  if (given !== undefined && given !== '') {
    const folder = resolve(given)
    await access(folder).catch(() => { throw new CommandError(`DATA=${given}: there is no such folder`) })
    return folder
  }
  const patients = readInteger('PATIENTS', defaultPatients)
  const seed = readInteger('SEED', 1)
  const folder = inData(`generated/${generatorVersion}-${patients}-${seed}`)
  if (await access(folder).then(() => true, () => false)) return folder

  // Renamed when it is whole: a run that was stopped half-way leaves nothing that looks like data.
  const fresh = `${folder}.${process.pid}`
  try {
    await runScript('packages/stack/src/generate/cli.ts', {
      args: ['--patients', String(patients), '--seed', String(seed), '--out', fresh], signal,
    })
    await rename(fresh, folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return folder
}

/** Of the environment. */
export function readInteger (name: string, otherwise: number): number {
  const text = process.env[name] ?? ''
  if (text === '') return otherwise
  if (!/^\d{1,9}$/.test(text)) throw new CommandError(`${name}=${text}: expected a whole number`)
  return Number(text)
}
