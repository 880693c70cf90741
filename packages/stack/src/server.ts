/** Something a command started and has to stop: a database, a queue server, a node. */
export interface Server {
  url: string
  /** Resolves when the process is gone and what it held temporarily is removed. */
  stop: () => Promise<void>
}
