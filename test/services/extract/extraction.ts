/** What the tests of the extractor share: archives from bytes, folders to extract into, and what was there before. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Effect, type Scope } from "effect"
import * as Archive from "../../../src/services/tree/Archive.ts"
import type * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import type { ExtractProblem } from "../../../src/services/extract/ExtractProblem.ts"
import * as Extractor from "../../../src/services/extract/Extractor.ts"
import type * as ArchiveBuilder from "../../support/ArchiveBuilder.ts"
import * as MountedTree from "../../support/MountedTree.ts"
import * as Syscalls from "../../support/Syscalls.ts"
import { open } from "../archive/helpers.ts"

/** A folder to extract into, and beside it one that must stay as it is. */
export interface Sandbox {
  readonly base: string
  /** Does not exist yet. */
  readonly target: string
  readonly outside: string
  /** A file in `outside`. */
  readonly secret: string
  /** Everything about `outside` that writing there could change. */
  readonly snapshot: () => unknown
}

/** Removes a folder of any depth. */
const remove = (folder: string): void => void execFileSync("rm", ["-rf", "--one-file-system", folder])

export const sandbox: Effect.Effect<Sandbox, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync((): Sandbox => {
    const base = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "pxar-fuse-extract-"))
    const outside = path.join(base, "outside")
    const secret = path.join(outside, "secret")
    fs.mkdirSync(path.join(outside, "folder"), { recursive: true })
    fs.writeFileSync(secret, "secret\n", { mode: 0o600 })
    const snapshot = () =>
      // Reading changes the time of access.
      MountedTree.read(outside)
        .map((entry) => Object.assign(entry, { atime: 0n }))
        .toSorted((a, b) => a.path.compare(b.path))
    return { base, target: path.join(base, "target"), outside, secret, snapshot }
  }),
  ({ base }) => Effect.sync(() => remove(base)),
)

export interface Extracted {
  readonly report: Extractor.Report
  /** As `kind path`. */
  readonly problems: ReadonlyArray<string>
  readonly all: ReadonlyArray<ExtractProblem>
}

type Given = Partial<Omit<Extractor.Options, "target">>

/** Extracts what a reader reads. */
export const extractFrom = Effect.fnUntraced(function* (
  reader: ArchiveReader.ArchiveReader,
  target: string,
  options: Given = {},
) {
  const all: Array<ExtractProblem> = []
  const report = yield* Extractor.extract(Archive.fromReader(reader), {
    target,
    // Builders give everything to root.
    owner: process.geteuid?.() === 0,
    onProblem: (problem) => Effect.sync(() => void all.push(problem)),
    ...options,
  })
  const problems = all.map(({ kind, path }) => `${kind} ${Buffer.from(path).toString("latin1")}`)
  return { report, problems, all } satisfies Extracted
})

/** Extracts an archive that was built; a split one if it has a payload archive. */
export const extract = Effect.fnUntraced(function* (
  built: Pick<ArchiveBuilder.Built, "bytes"> & { readonly payload?: Uint8Array },
  target: string,
  options: Given = {},
) {
  const split = built.bytes.readBigUInt64LE(0) === 0x730f6c75df16a40dn
  return yield* extractFrom(yield* open(built.bytes, split ? built.payload : undefined), target, options)
})

/** A reader in whose answers names are others than in the archive: as hostile as names can be. */
export const renaming = (
  reader: ArchiveReader.ArchiveReader,
  rename: (name: string) => string | undefined,
): ArchiveReader.ArchiveReader => ({
  ...reader,
  list: (directory, from, add) =>
    reader.list(directory, from, (child, next) => {
      const name = child.name === undefined ? undefined : rename(Buffer.from(child.name).toString("latin1"))
      return add(name === undefined ? child : { ...child, name: Buffer.from(name, "latin1") }, next)
    }),
})

/** A reader that lets somebody else act whenever a walk comes to a child of this name. */
export const interfering = (
  reader: ArchiveReader.ArchiveReader,
  name: string,
  act: () => void,
): ArchiveReader.ArchiveReader => ({
  ...reader,
  list: (directory, from, add) =>
    reader.list(directory, from, (child, next) => {
      if (child._tag !== "Found" || Buffer.from(child.name).toString("latin1") !== name) return add(child, next)
      // Children are listed several at a time: it is asked for its name when it is its turn.
      let done = false
      const watched = {
        ...child,
        get name() {
          if (!done) act()
          done = true
          return child.name
        },
      }
      return add(watched, next)
    }),
})

/** Paths below a folder, without a slash before them, sorted. */
export const pathsIn = (folder: string): ReadonlyArray<string> =>
  MountedTree.read(folder)
    .map(({ path }) => path.toString("latin1").slice(1))
    .filter((path) => path !== "")
    .toSorted()

/** A file's content, as text. */
export const readText = (...names: ReadonlyArray<string>): string => fs.readFileSync(path.join(...names), "utf8")

export const modeOf = (...names: ReadonlyArray<string>): number => fs.lstatSync(path.join(...names)).mode & 0o7777

/** Extended attributes, values in hex. */
export const attributesOf = (...names: ReadonlyArray<string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(Syscalls.xattrs(Buffer.from(path.join(...names)))).map(([name, value]) => [
      Buffer.from(name, "hex").toString(),
      value,
    ]),
  )
