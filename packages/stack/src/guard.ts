import { spawn } from 'node:child_process'

// Waits on its stdin, whose other end only we hold. A line says that all is well; end of file says that we died. It gives
// the process group ten seconds (`kill` addresses a group by the minus sign), or three to other users of the directory.
const script = `
read -r dismissed && exit 0
if [ -n "$1" ]; then
  kill -s "$2" -- "-$1" 2>/dev/null
  step=0
  while [ "$step" -lt 50 ] && kill -0 -- "-$1" 2>/dev/null; do
    sleep 0.2
    step=$((step + 1))
  done
  kill -s KILL -- "-$1" 2>/dev/null
else
  sleep 3
fi
[ -z "$3" ] || rm -rf -- "$3"
`

export interface Guarded {
  /** Leader of a process group; undefined: only the directory is removed. */
  pid?: number
  signal?: NodeJS.Signals
  /** Removed once the group is gone. */
  temporaryDirectory?: string | undefined
}

/**
 * Ends a process group, and removes what it left, if this process dies without having done so itself, be it by SIGKILL, where no handler
 * runs. Linux could do it by PR_SET_PDEATHSIG, which Node does not offer and macOS does not have; a shell that waits for the end of a pipe
 * works on both and costs 1 MB. It runs in a session of its own, so that Ctrl-C does not end it. Not guarded against: SIGKILL of the shell
 * too.
 */
export function guard ({ pid, signal = 'SIGTERM', temporaryDirectory = '' }: Guarded): () => void {
  const shell = spawn('/bin/sh', ['-c', script, 'guard', String(pid ?? ''), signal.replace('SIG', ''), temporaryDirectory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // A shell that cannot be started, or is gone, only means that nothing is watched over.
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  shell.unref()
  return () => { shell.stdin.end('dismissed\n') }
}
