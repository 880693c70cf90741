import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The connections of a server and their unfinished answers, which Node does not expose. */
export interface Connections {
  follow: (server: Server) => void
  /** The headers of an answer were sent: other bytes would be read as its body. */
  isAnswering: (socket: Socket) => boolean
  /** Ends connections without a request that is being answered: they would keep the server from closing. */
  endIdle: () => void
}

/**
 * Keeps at most `max` connections open. A new one beyond them closes the oldest that owes a request, or the rest of one: idle connections
 * keep no client out. If all are being answered, the new one is closed.
 */
export function createConnections (max: number): Connections {
  /** Unfinished answers (requests may be pipelined), by connection, the oldest first. */
  const answers = new Map<Socket, Set<ServerResponse>>()

  function addConnection (socket: Socket): void {
    if (answers.size >= max) {
      const idle = findIdle()
      if (idle === undefined) {
        socket.destroy()
        return
      }
      answers.delete(idle)
      idle.destroy()
    }
    answers.set(socket, new Set())
    socket.once('close', () => { answers.delete(socket) })
  }

  function findIdle (): Socket | undefined {
    for (const [socket, running] of answers) {
      if ([...running].every(({ req, headersSent }) => !req.complete && !headersSent)) return socket
    }
    return undefined
  }

  function addAnswer ({ socket }: IncomingMessage, answer: ServerResponse): void {
    answers.get(socket)?.add(answer)
    answer.once('close', () => { answers.get(socket)?.delete(answer) })
  }

  return {
    follow: (server) => { server.on('connection', addConnection).on('request', addAnswer) },
    isAnswering: (socket) => [...answers.get(socket) ?? []].some(({ headersSent }) => headersSent),
    endIdle: () => { for (const [socket, { size }] of answers) if (size === 0) socket.destroy() },
  }
}
