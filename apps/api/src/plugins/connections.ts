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

export function createConnections (): Connections {
  /** Those that are not written whole; requests may be pipelined. */
  const answers = new Map<Socket, Set<ServerResponse>>()

  function addConnection (socket: Socket): void {
    answers.set(socket, new Set())
    socket.once('close', () => { answers.delete(socket) })
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
