import { Socket } from 'node:net'

const defaultBytes = 256 * 1024

/**
 * A connection's socket that reads into one buffer of its own, again and again, where Node would make a new one for every read. While
 * `isReusing` is set, `data` is a view of that buffer, good until the socket reads on; else a copy, which pg may keep.
 *
 * Bytes never lie in the stream: it cannot be read but by `data`. Under TLS they are the TLS socket's, as ever.
 */
export class CopySocket extends Socket {
  isReusing = false

  constructor (readBytes = defaultBytes) {
    super({
      // Both are called only once bytes come, after the constructor.
      onread: {
        buffer: Buffer.allocUnsafeSlow(readBytes),
        callback: (size, buffer) => {
          const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, size)
          this.emit('data', this.isReusing ? bytes : Buffer.from(bytes))
          return true
        },
      },
    })
  }
}
