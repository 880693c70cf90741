import { ServiceError, type ErrorCode } from '@fhir-bulk-export/core/errors'

/** `Prefer: handling=lenient` (http://hl7.org/fhir/R4/search.html#errors), or its absence. */
export interface Lenience {
  /** @throws ServiceError (by default UNSUPPORTED_PARAMETER) unless the request is lenient: then the message is kept. */
  refuseUnlessLenient: (message: string, code?: ErrorCode) => void
  /** Sentences for the export's `error` list. */
  getIgnored: () => string[]
}

const maxSentences = 10

/** Equal sentences are kept once, and the first ten of many. */
export function createLenience (isLenient: boolean): Lenience {
  const ignored = new Set<string>()
  return {
    refuseUnlessLenient (message, code = 'UNSUPPORTED_PARAMETER') {
      if (!isLenient) throw new ServiceError(code, message)
      ignored.add(`${message}: ignored, as handling=lenient asks`)
    },
    getIgnored () {
      const sentences = [...ignored]
      const more = sentences.length - maxSentences
      return more > 0 ? [...sentences.slice(0, maxSentences), `and ${more} more: ignored, as handling=lenient asks`] : sentences
    },
  }
}
