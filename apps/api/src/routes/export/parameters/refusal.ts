import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ErrorCode } from '@fhir-bulk-export/core/errors'

/** What is done about something that cannot be done as asked: it throws, or (lenient) collects a sentence for the error list. */
export interface Refusal {
  refuse: (message: string, code?: ErrorCode) => void
  ignored: () => string[]
}

/** A client that learns of ten knows what it did. */
const maxSentences = 10

/** http://hl7.org/fhir/R4/search.html#errors. Each sentence is kept once, and of many the first. */
export function createRefusal (isLenient: boolean): Refusal {
  const ignored = new Set<string>()
  return {
    refuse (message, code = 'UNSUPPORTED_PARAMETER') {
      if (!isLenient) throw new ServiceError(code, message)
      ignored.add(`${message}: ignored, as handling=lenient asks`)
    },
    ignored () {
      const sentences = [...ignored]
      const more = sentences.length - maxSentences
      return more > 0 ? [...sentences.slice(0, maxSentences), `and ${more} more: ignored, as handling=lenient asks`] : sentences
    },
  }
}
