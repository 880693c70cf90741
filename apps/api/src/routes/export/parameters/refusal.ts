import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ErrorCode } from '@fhir-bulk-export/core/errors'

/** What is done about something that cannot be done as asked: it throws, or (lenient) collects a sentence for the error list. */
export interface Refusal {
  refuse: (message: string, code?: ErrorCode) => void
  ignored: () => string[]
}

/** http://hl7.org/fhir/R4/search.html#errors. Each sentence is kept once. */
export function createRefusal (isLenient: boolean): Refusal {
  const ignored = new Set<string>()
  return {
    refuse (message, code = 'UNSUPPORTED_PARAMETER') {
      if (!isLenient) throw new ServiceError(code, message)
      ignored.add(`${message}: ignored, as handling=lenient asks`)
    },
    ignored: () => [...ignored],
  }
}
