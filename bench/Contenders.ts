/**
 * What is compared: our mount of each kind of archive, `squashfuse_ll`, and the plain directory as the limit.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Process from "./Process.ts"
import type { Tree } from "./Trees.ts"

export interface Contender {
  readonly name: string
  /** Whether its mounts count requests. */
  readonly counts: boolean
  /** Whether the tree is there for it. */
  readonly isFor: (tree: Tree) => boolean
  /** What its mount of the tree reads: to be in the page cache. */
  readonly reads: (tree: Tree) => ReadonlyArray<string>
  /** The command; `undefined` where there is nothing to mount. */
  readonly server: ((tree: Tree, mountPoint: string) => ReadonlyArray<string>) | undefined
  /** Whether the command returns when the mount is ready, and leaves its server in the background. */
  readonly background: boolean
}

/** Requests by operation. */
export type Requests = Readonly<Record<string, number>>

/** The contender whose times the others' are divided by. */
export const PEER = "squashfuse_ll"

/** Our own mount, as users have it; an older `program` stays in the foreground. */
const ours = (name: string, program: ReadonlyArray<string>, version: 1 | 2, background = true): Contender => ({
  name,
  counts: true,
  background,
  isFor: ({ images }) => (version === 1 ? images?.v1 : images?.v2) !== undefined,
  reads: ({ images }) => (version === 1 ? [images?.v1 as string] : [images?.v2 as string, images?.payload as string]),
  server: ({ images }, mountPoint) => [
    ...program,
    "mount",
    (version === 1 ? images?.v1 : images?.v2) as string,
    mountPoint,
    "--verbose",
  ],
})

const peer: Contender = {
  name: PEER,
  counts: false,
  background: false,
  isFor: ({ images }) => images?.squashfs !== undefined,
  reads: ({ images }) => [images?.squashfs as string],
  server: ({ images }, mountPoint) => ["squashfuse_ll", "-f", images?.squashfs as string, mountPoint],
}

const plain: Contender = {
  name: "directory",
  counts: false,
  background: false,
  isFor: ({ folder }) => folder !== "",
  reads: (tree) => [tree.folder],
  server: undefined,
}

/**
 * All that can be measured here, in an order that puts each of ours beside the peer. Says what is missing and which
 * Debian package has it.
 */
export const available = async (
  program: ReadonlyArray<string>,
  against: ReadonlyArray<string> | undefined,
  say: (line: string) => void,
): Promise<ReadonlyArray<Contender>> => {
  const missing: Array<string> = []
  for (const [needed, debian] of [
    ["squashfuse_ll", "squashfuse"],
    ["mksquashfs", "squashfs-tools"],
  ] as const) {
    if (!(await Process.isThere(needed))) missing.push(`${needed} (Debian: ${debian})`)
  }
  if (missing.length > 0) say(`without the columns of squashfuse_ll, because this is missing: ${missing.join(", ")}`)
  return [
    ...(against === undefined ? [] : [ours("base", against, 1, await hasBackground(against))]),
    ours("v1", program, 1),
    ...(missing.length > 0 ? [] : [peer]),
    ours("v2", program, 2),
    plain,
  ]
}

const hasBackground = async (program: ReadonlyArray<string>): Promise<boolean> =>
  (await Process.run([...program, "mount", "--help"])).stdout.includes("--foreground")

/** Reads a contender's files, so that they are in the page cache: what is idle is dropped on some machines. */
export const warm = (contender: Contender, tree: Tree): Promise<unknown> =>
  // GNU tar does not read files that it writes to /dev/null.
  Process.run(["sh", "-c", 'tar cf - "$@" 2>&1 | cat > /dev/null', "bench", ...contender.reads(tree)])

export interface Mount {
  readonly root: string
  readonly usage: () => Process.Usage | undefined
  /** CPU time of mounting that is not the server's. */
  readonly startCpuMs: number
  /** Unmounts, and tells what the mount was asked. */
  readonly end: () => Promise<Requests | undefined>
}

/** Mounts a tree afresh. */
export const mount = async (contender: Contender, tree: Tree, scratch: string, core: Process.Core): Promise<Mount> => {
  if (contender.server === undefined) {
    return { root: tree.folder, usage: () => undefined, startCpuMs: 0, end: () => Promise.resolve(undefined) }
  }
  const mountPoint = fs.mkdtempSync(path.join(scratch, "mount-"))
  const command = contender.server(tree, mountPoint)
  const server = contender.background
    ? await inBackground(command, mountPoint, core)
    : await inForeground(contender, command, mountPoint, core)
  return {
    root: mountPoint,
    usage: () => Process.usage(server.pid),
    startCpuMs: server.startCpuMs,
    end: async () => {
      await Process.unmount(mountPoint)
      const messages = await server.ended()
      fs.rmdirSync(mountPoint)
      return contender.counts ? parseRequests(messages) : undefined
    },
  }
}

interface Server {
  readonly pid: number
  readonly startCpuMs: number
  /** Waits for it to end by itself; what it has said. */
  readonly ended: () => Promise<string>
}

const inBackground = async (
  command: ReadonlyArray<string>,
  mountPoint: string,
  core: Process.Core,
): Promise<Server> => {
  const [pidFile, log] = [`${mountPoint}.pid`, `${mountPoint}.log`]
  const server = await Process.startInBackground([...command, "--pid-file", pidFile, "--log-file", log], pidFile, core)
  return {
    ...server,
    ended: async () => {
      await Process.untilGone(server.pid)
      const messages = fs.readFileSync(log, "utf8")
      fs.rmSync(log)
      return messages
    },
  }
}

const inForeground = async (
  { counts, name }: Contender,
  command: ReadonlyArray<string>,
  mountPoint: string,
  core: Process.Core,
): Promise<Server> => {
  const server = Process.start(command, core)
  try {
    await Process.untilMounted(mountPoint, server)
  } catch (error) {
    await Process.unmount(mountPoint)
    await Process.untilEnded(server)
    throw error
  }
  return {
    pid: server.pid,
    startCpuMs: 0,
    ended: async () => {
      const { status, stderr } = await Process.untilEnded(server)
      if (counts && status !== 0) throw new Error(`${name} ended with ${status}: ${stderr.trim()}`)
      return stderr
    },
  }
}

/** Reads the line that our mount says at its end: `… requests: READ 12, LOOKUP 3`. */
const parseRequests = (text: string): Requests | undefined => {
  const counts = /requests: (.*)/.exec(text)?.[1]
  if (counts === undefined) return undefined
  return Object.fromEntries(
    counts.split(", ").map((part) => {
      const [name, count] = part.split(" ") as [string, string]
      return [name, Number(count)]
    }),
  )
}
