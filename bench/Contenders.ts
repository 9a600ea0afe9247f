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
  /** What its mount of the tree reads: to be in the page cache. */
  readonly reads: (tree: Tree) => ReadonlyArray<string>
  /** The server; `undefined` where there is nothing to mount. */
  readonly server: ((tree: Tree, mountPoint: string) => ReadonlyArray<string>) | undefined
}

/** Requests by operation. */
export type Requests = Readonly<Record<string, number>>

/** The contender whose times the others' are divided by. */
export const PEER = "squashfuse_ll"

/** Our own mount: of `program`, which is a command, with `flags` that keep it in the foreground. */
const ours = (
  name: string,
  program: ReadonlyArray<string>,
  version: 1 | 2,
  flags: ReadonlyArray<string> = ["--foreground"],
): Contender => ({
  name,
  counts: true,
  reads: ({ images }) => (version === 1 ? [images?.v1 as string] : [images?.v2 as string, images?.payload as string]),
  server: ({ images }, mountPoint) => [
    ...program,
    "mount",
    ...flags,
    (version === 1 ? images?.v1 : images?.v2) as string,
    mountPoint,
    "--verbose",
  ],
})

const peer: Contender = {
  name: PEER,
  counts: false,
  reads: ({ images }) => [images?.squashfs as string],
  server: ({ images }, mountPoint) => ["squashfuse_ll", "-f", images?.squashfs as string, mountPoint],
}

const plain: Contender = { name: "directory", counts: false, reads: (tree) => [tree.folder], server: undefined }

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
    ...(against === undefined ? [] : [ours("base", against, 1, await foregroundFlags(against))]),
    ours("v1", program, 1),
    ...(missing.length > 0 ? [] : [peer]),
    ours("v2", program, 2),
    plain,
  ]
}

/** An older program is always in the foreground. */
const foregroundFlags = async (program: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { stdout } = await Process.run([...program, "mount", "--help"])
  return stdout.includes("--foreground") ? ["--foreground"] : []
}

/** Reads a contender's files, so that they are in the page cache: what is idle is dropped on some machines. */
export const warm = (contender: Contender, tree: Tree): Promise<unknown> =>
  // GNU tar does not read files that it writes to /dev/null.
  Process.run(["sh", "-c", 'tar cf - "$@" 2>&1 | cat > /dev/null', "bench", ...contender.reads(tree)])

export interface Mount {
  readonly root: string
  readonly usage: () => Process.Usage | undefined
  /** Unmounts, and tells what the mount was asked. */
  readonly end: () => Promise<Requests | undefined>
}

/** Mounts a tree afresh. */
export const mount = async (contender: Contender, tree: Tree, scratch: string, core: Process.Core): Promise<Mount> => {
  if (contender.server === undefined) {
    return { root: tree.folder, usage: () => undefined, end: () => Promise.resolve(undefined) }
  }
  const mountPoint = fs.mkdtempSync(path.join(scratch, "mount-"))
  const server = Process.start(contender.server(tree, mountPoint), core)
  try {
    await Process.untilMounted(mountPoint, server)
  } catch (error) {
    await Process.unmount(mountPoint, server)
    throw error
  }
  return {
    root: mountPoint,
    usage: () => Process.usage(server.pid),
    end: async () => {
      const { status, stderr } = await Process.unmount(mountPoint, server)
      fs.rmdirSync(mountPoint)
      if (!contender.counts) return undefined
      if (status !== 0) throw new Error(`${contender.name} ended with ${status}: ${stderr.trim()}`)
      return parseRequests(stderr)
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
