import { isUtf8 } from 'node:buffer'
import { checkResource } from '../r4/index.ts'

const newline = 0x0a

/** What is wrong with lines, without a word of what is in them. */
export interface LineCheck {
  add: (chunk: Uint8Array) => void
  /** Call it after the last chunk. */
  end: () => { count: number, problems: string[] }
}

/** Checks NDJSON: every line is a valid resource, of `type`, and ended. Memory is bounded by the longest line. */
export function startLineCheck (type: string): LineCheck {
  const malformed = startTally('are no valid FHIR R4')
  const foreign = startTally(`are no ${type}`)
  let pieces: Uint8Array[] = []
  let count = 0

  function check (line: Buffer): void {
    count++
    const checked = isUtf8(line) ? checkResource(line) : undefined
    if (checked?.isValid !== true) malformed.add(count)
    else if (checked.type !== type) foreign.add(count)
  }

  function add (chunk: Uint8Array): void {
    let start = 0
    for (let stop = chunk.indexOf(newline); stop !== -1; stop = chunk.indexOf(newline, start)) {
      check(Buffer.concat([...pieces, chunk.subarray(start, stop)]))
      pieces = []
      start = stop + 1
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
  }

  function end () {
    const isCut = pieces.length > 0
    if (isCut) check(Buffer.concat(pieces))
    return { count, problems: [...malformed.problems(), ...foreign.problems(), ...(isCut ? ['the last line has no end'] : [])] }
  }

  return { add, end }
}

function startTally (what: string) {
  let first = 0
  let times = 0
  return {
    add (line: number): void {
      if (times++ === 0) first = line
    },
    problems: () => times === 0 ? [] : [`${times} lines ${what}, the first of them line ${first}`],
  }
}
