import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { toCidV0 } from '../store/streams/unixfs-cid.ts'

/** Computes the CID of a stream that another consumer reads. */
export interface CidCheck {
  /** Passes the bytes on; they must not be changed afterwards. */
  through: (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>
  /** Once all have gone through. */
  cid: () => Promise<string>
}

export function startCidCheck (): CidCheck {
  const input = new PassThrough({ objectMode: true, highWaterMark: 2 })
  const cid = toCidV0(input)
  cid.catch(() => {}) // of a stream that broke off

  async function * through (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of chunks) {
        if (!input.write(chunk)) await once(input, 'drain')
        yield chunk
      }
      input.end()
    } finally {
      if (!input.writableEnded) input.destroy()
    }
  }

  return { through, cid: async () => await cid }
}
