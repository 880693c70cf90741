import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What is going on on the connections of a server, which Node knows and does not tell. */
export interface Connections {
  follow: (server: Server) => void
  /** An answer is on its way: whatever else was written would be taken for a part of it. */
  isInAnswer: (socket: Socket) => boolean
  /** Ends those that wait for nothing, and would keep the server from closing: nobody asked anything yet, or not all of it. */
  endIdle: () => void
}

/**
 * Of `max` connections none is opened beyond: the oldest one that owes us a request, or the rest of one, makes room, so that any
 * number of these keeps nobody out. Where all of them are being answered, the new one is closed.
 */
export function createConnections (max: number): Connections {
  /** Those that are not written whole; requests may be pipelined. The oldest connection comes first. */
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
    isInAnswer: (socket) => [...answers.get(socket) ?? []].some(({ headersSent }) => headersSent),
    endIdle: () => { for (const [socket, { size }] of answers) if (size === 0) socket.destroy() },
  }
}
