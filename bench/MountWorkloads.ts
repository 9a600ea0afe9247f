/**
 * What is done to a mount: each workload on a fresh one, in one or more passes one after the other.
 */
import * as path from "node:path"
import * as Process from "./Process.ts"
import type { Tree, TreeName } from "./Trees.ts"

export interface Workload {
  readonly name: string
  readonly tree: TreeName
  /** A program that must be there, with the Debian package that has it. */
  readonly needs?: { readonly program: string; readonly debian: string }
  readonly passes: ReadonlyArray<Pass>
  /** Whether mounting is what is measured, up to the end of the one pass. */
  readonly startup?: true
}

export interface Pass {
  /** What the table calls it. */
  readonly name: string
  /** What the server's time is divided by. */
  readonly unit: string
  readonly units: (tree: Tree) => number
  /** Runs it below `root`; its time in milliseconds, without that of starting the process. */
  readonly run: (root: string, tree: Tree, core: Process.Core) => Promise<number>
}

type Units = Pick<Pass, "unit" | "units">

const perEntry: Units = { unit: "entry", units: (tree) => tree.entries }
const perFile: Units = { unit: "file", units: (tree) => tree.files }
const perStat: Units = { unit: "path", units: (tree) => Math.min(tree.files, listed(tree)) }
const perRead: Units = { unit: "file", units: (tree) => Math.min(tree.files, 5000) }
const per128KiB: Units = { unit: "128 KiB", units: (tree) => tree.bytes / (128 * 1024) }

/** Paths in a tree's list for `stat`, which the description of the trees decides. */
const listed = (tree: Tree): number => (tree.name === "wide" ? 2000 : tree.files > 50_000 ? 10_000 : 5000)

const shell =
  (script: string): Pass["run"] =>
  (root, tree, core) =>
    Process.timeShell(`cd "$1" && ${script}`, [root, tree.lists.all], core)

const client =
  (args: (root: string, tree: Tree) => ReadonlyArray<string>): Pass["run"] =>
  async (root, tree, core) => {
    const program = path.join(import.meta.dirname, "Client.ts")
    const { stdout } = await Process.run([process.execPath, program, ...args(root, tree)], core)
    return Number(stdout)
  }

/** Several passes of the same kind on one mount. */
const twice = (name: string, second: string, units: Units, run: Pass["run"]): ReadonlyArray<Pass> => [
  { name, ...units, run },
  { name: `${name}, ${second}`, ...units, run },
]

const preads = (size: number, count: number, unit: string): Pass => ({
  name: `${count} random preads of ${unit}`,
  unit: "pread",
  units: () => count,
  run: client((root) => ["pread", `${root}/big-0`, String(size), String(count)]),
})

/** What is done to trees of small files; `of` says in the names which tree it is. */
const small = (tree: TreeName, of: string): ReadonlyArray<Workload> => [
  { name: `find${of}`, tree, passes: twice(`find -ls${of}`, "again", perEntry, shell("find . -ls")) },
  { name: `tar${of}`, tree, passes: twice(`tar${of}`, "again", perFile, shell("tar cf - . | wc -c")) },
  {
    name: `cat${of}`,
    tree,
    passes: [
      { name: `cat, 4 processes${of}`, ...perFile, run: shell(`tr '\\n' '\\0' < "$2" | xargs -0 -P4 -n50 cat`) },
    ],
  },
  {
    name: `stat${of}`,
    tree,
    passes: twice(
      `stat random paths${of}`,
      "again",
      perStat,
      client((root, tree) => ["lstat", tree.lists.stat, root]),
    ),
  },
  {
    name: `open-read-close${of}`,
    tree,
    passes: twice(
      `open-read-close${of}`,
      "again",
      perRead,
      client((root, tree) => ["read", tree.lists.read, root]),
    ),
  },
  {
    name: `getfattr${of}`,
    tree,
    needs: { program: "getfattr", debian: "attr" },
    passes: [{ name: `getfattr -R${of}`, ...perEntry, run: shell("getfattr -R -d -P .") }],
  },
]

export const workloads: ReadonlyArray<Workload> = [
  {
    name: "first ls",
    tree: "small",
    startup: true,
    passes: [{ name: "mount until first ls", unit: "mount", units: () => 1, run: shell("ls") }],
  },
  ...small("small", ""),
  { name: "ls", tree: "small", passes: twice("ls -lR", "again", perEntry, shell("ls -lR .")) },
  // A young process pays for each of its first requests: these are the trees that most people have.
  ...small("ten thousand", ", 10,000 files"),
  ...small("thousand", ", 1,000 files"),
  { name: "find wide", tree: "wide", passes: twice("find -ls, wide", "again", perEntry, shell("find . -ls")) },
  {
    name: "stat wide",
    tree: "wide",
    passes: [
      { name: "stat 2000 paths, wide", ...perStat, run: client((root, tree) => ["lstat", tree.lists.stat, root]) },
    ],
  },
  {
    name: "million",
    tree: "million",
    passes: [{ name: "find, one million", ...perEntry, run: shell("find . -size +1G") }],
  },
  { name: "tar mail", tree: "mail", passes: twice("tar, mail", "again", perFile, shell("tar cf - . | wc -c")) },
  {
    name: "open-read-close mail",
    tree: "mail",
    passes: twice(
      "open-read-close, mail",
      "again",
      perRead,
      client((root, tree) => ["read", tree.lists.read, root]),
    ),
  },
  {
    name: "dd 1M",
    tree: "big",
    passes: twice("dd bs=1M", "again", per128KiB, shell("dd if=big-0 bs=1M of=/dev/null status=none")),
  },
  {
    name: "dd 4K",
    tree: "big",
    passes: [{ name: "dd bs=4K", ...per128KiB, run: shell("dd if=big-0 bs=4K of=/dev/null status=none") }],
  },
  { name: "pread 4K", tree: "big", passes: [preads(4096, 5000, "4 KiB")] },
  { name: "pread 128K", tree: "big", passes: [preads(128 * 1024, 2000, "128 KiB")] },
]
