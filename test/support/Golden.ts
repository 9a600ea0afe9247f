/**
 * The golden archives of `fixtures/golden` and what a correct file system shows of them (see `fixtures/README.md`).
 *
 * Everything here comes from the reference implementation's data, nothing from the code under test.
 */
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"

export type Kind = "directory" | "file" | "symlink" | "fifo" | "socket" | "chardev" | "blockdev"

/** One line of a `*.view.jsonl`. */
export interface View {
  /** Path from the root, with a leading slash. */
  readonly path: Buffer
  readonly kind: Kind
  /** Whether the name is a hard link; the other fields are then its target's. */
  readonly hardlink: boolean
  readonly ino: bigint
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly blocks: number
  /** Devices only. */
  readonly rdev: readonly [major: number, minor: number] | undefined
  readonly mtimeSeconds: bigint
  readonly mtimeNanos: number
  /** Symlinks only. */
  readonly target: Buffer | undefined
  /** Files only: of the content, in hex. */
  readonly sha256: string | undefined
  /** Values under their names, both in hex; ACLs and capabilities included. */
  readonly xattrs: Readonly<Record<string, string>>
}

/** The fields that tests use of a `*.dump.jsonl`: what the reference's reader decodes. */
export interface Dump {
  readonly path: Buffer
  readonly hardlink: boolean
  /** Of the entry itself; zero for hard links. */
  readonly flags: bigint
  readonly quotaProjectId: bigint | undefined
  /** Position of the FILENAME header; the root has none. */
  readonly nameStart: number | undefined
  readonly entryStart: number
  /** Unreliable for files of a split archive: the goodbye size as it stands. */
  readonly entryEnd: number
  /** Names and values in archive order, in hex, without ACLs and capabilities. */
  readonly xattrs: ReadonlyArray<readonly [name: string, value: string]>
}

export interface Golden {
  readonly name: string
  /** Absolute path of the archive, or of the metadata archive of a split one. */
  readonly archive: string
  /** Absolute path of the payload archive of a split one. */
  readonly payload: string | undefined
  readonly version: 1 | 2
  /** In slot order of the goodbye tables, depth first, beginning with the root. */
  readonly view: () => ReadonlyArray<View>
}

/** Absolute path of a file under `fixtures/golden`. */
export const path = (name: string): string => fileURLToPath(new URL(`../../fixtures/golden/${name}`, import.meta.url))

const lines = (name: string): Array<unknown> =>
  fs
    .readFileSync(path(name), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown)

const memoize = <A>(load: () => A): (() => A) => {
  let loaded: { readonly value: A } | undefined
  return () => (loaded ??= { value: load() }).value
}

interface ViewLine {
  readonly path_hex: string
  readonly kind: Kind
  readonly hardlink: boolean
  readonly ino: string
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly blocks: number
  readonly rdev?: readonly [number, number]
  readonly mtime_secs: number
  readonly mtime_nanos: number
  readonly target_hex?: string
  readonly sha256?: string
  readonly xattrs: Readonly<Record<string, string>>
}

const toView = (line: ViewLine): View => ({
  path: Buffer.from(line.path_hex, "hex"),
  kind: line.kind,
  hardlink: line.hardlink,
  ino: BigInt(line.ino),
  mode: line.mode,
  nlink: line.nlink,
  uid: line.uid,
  gid: line.gid,
  size: line.size,
  blocks: line.blocks,
  rdev: line.rdev,
  mtimeSeconds: BigInt(line.mtime_secs),
  mtimeNanos: line.mtime_nanos,
  target: line.target_hex === undefined ? undefined : Buffer.from(line.target_hex, "hex"),
  sha256: line.sha256,
  xattrs: line.xattrs,
})

const set = (name: string, version: 1 | 2, payload?: string): Golden => ({
  name,
  archive: path(`${name}.${version === 1 ? "pxar" : "mpxar"}`),
  payload: version === 1 ? undefined : path(payload ?? `${name}.ppxar`),
  version,
  view: memoize(() => lines(`${name}.view.jsonl`).map((line) => toView(line as ViewLine))),
})

export const treeV1 = set("tree-v1", 1)
export const treeV2 = set("tree-v2", 2)
export const synthV1 = set("synth-v1", 1)
/** With a prelude. */
export const synthV2 = set("synth-v2", 2)
/** Without a prelude. */
export const synthV2np = set("synth-v2np", 2, "synth-v2.ppxar")
export const collisionsV1 = set("collisions-v1", 1)
export const helloV1 = set("tiny/hello-v1", 1)
export const helloV2 = set("tiny/hello-v2", 2)
export const hardlinkV1 = set("tiny/hardlink-v1", 1)
export const hardlinkV2 = set("tiny/hardlink-v2", 2)
export const richV1 = set("tiny/rich-v1", 1)
/** ENTRY_V1. */
export const legacyV1 = set("tiny/legacy-v1", 1)
/** The smallest archive there is: an ENTRY_V1 and an empty table. */
export const legacyEmpty = set("tiny/legacy-empty", 1)

/** A few hundred bytes each. */
export const tiny: ReadonlyArray<Golden> = [helloV1, helloV2, hardlinkV1, hardlinkV2, richV1, legacyV1, legacyEmpty]

/** All sets. */
export const all: ReadonlyArray<Golden> = [treeV1, treeV2, synthV1, synthV2, synthV2np, collisionsV1, ...tiny]

/** The sets that have a `*.dump.jsonl` among the fixtures. */
export const dumped: ReadonlyArray<Golden> = [synthV1, synthV2, ...tiny]

interface DumpLine {
  readonly path_hex: string
  readonly kind: string
  readonly flags: number
  readonly quota_project_id: number | null
  readonly filename_header_offset: number | null
  readonly entry_range: readonly [number, number]
  readonly xattrs: ReadonlyArray<{ readonly name_hex: string; readonly value_hex: string }>
}

/** The dump of a set in `dumped`, in the order of its view. */
export const dump = (golden: Golden): ReadonlyArray<Dump> =>
  lines(`${golden.name}.dump.jsonl`).map((value) => {
    const line = value as DumpLine
    return {
      path: Buffer.from(line.path_hex, "hex"),
      hardlink: line.kind === "hardlink",
      flags: BigInt(line.flags),
      quotaProjectId: line.quota_project_id === null ? undefined : BigInt(line.quota_project_id),
      nameStart: line.filename_header_offset ?? undefined,
      entryStart: line.entry_range[0],
      entryEnd: line.entry_range[1],
      xattrs: line.xattrs.map((xattr) => [xattr.name_hex, xattr.value_hex] as const),
    }
  })

/** The bytes of a set's archive, and of its payload archive. */
export const load = (golden: Golden): { readonly bytes: Buffer; readonly payload: Buffer | undefined } => ({
  bytes: fs.readFileSync(golden.archive),
  payload: golden.payload === undefined ? undefined : fs.readFileSync(golden.payload),
})

/** SHA-256 of every file under `fixtures/golden`, by relative path. */
export const manifest = (): Readonly<Record<string, string>> =>
  JSON.parse(fs.readFileSync(path("manifest.json"), "utf8")) as Record<string, string>
