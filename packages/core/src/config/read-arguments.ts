import { parseArgs, type ParseArgsConfig } from 'node:util'
import { ServiceError } from '../errors.ts'

/** @throws ServiceError INVALID_PARAMETER, in one line, for what the command does not know. */
export function readArguments<C extends ParseArgsConfig> (config: C): ReturnType<typeof parseArgs<C>> {
  try {
    return parseArgs(config)
  } catch (cause) {
    const [reason = ''] = cause instanceof Error ? cause.message.split('. ') : []
    throw new ServiceError('INVALID_PARAMETER', `${reason} (--help tells what there is)`, { cause })
  }
}
