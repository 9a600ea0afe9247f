/**
 * Extracts an archive, or what patterns select of it, into a folder.
 *
 * Guarantees: nothing outside the target folder is written or changed, whatever names and links the archive or the
 * folder holds; what is there already stays as it is, unless the options say otherwise; whatever ends a run, no file
 * stays behind half written. Everything is restored that can be; the rest is reported, and the run goes on unless it
 * is `strict`. Memory is bounded, but for what hard links need: 16 bytes a file and a few hundred a folder.
 *
 * A folder is open to its owner only while it is extracted into, and gets its attributes when it is complete: those that
 * a run was in when it was interrupted keep the mode 0700. Writing holds up the program for as long as the disk takes;
 * others have a turn every few entries.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { getSystemErrorMessage } from "node:util"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as Errno from "../../domain/Errno.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type { Entry } from "../../domain/pxar/Entry.ts"
import * as Limits from "../../domain/pxar/Limits.ts"
import type * as Archive from "../tree/Archive.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveReader } from "../archive/ArchiveReader.ts"
import * as ExtractEntry from "./ExtractEntry.ts"
import { ExtractFolders } from "./ExtractFolders.ts"
import { ExtractLinks } from "./ExtractLinks.ts"
import { entriesOf, ExtractPace, type Progress } from "./ExtractPace.ts"
import { ExtractPath } from "./ExtractPath.ts"
import { type ExtractProblem, type Kind, Problems } from "./ExtractProblem.ts"
import { ExtractSelection } from "./ExtractSelection.ts"
import * as ExtractWalk from "./ExtractWalk.ts"
import * as DiskPath from "../posix/DiskPath.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import type { SelectionError } from "../tree/Selection.ts"

export type { Progress }

/** An extraction could not begin or go on. What it had extracted by then is there. */
export class ExtractError extends Schema.TaggedError<ExtractError>()("ExtractError", {
  /** The target folder. */
  target: Schema.String,
  /**
   * `Target`: the folder cannot be extracted into. `Full`: its file system takes no more. `Stopped`: a strict run met a
   * problem.
   */
  reason: Schema.Literals(["Target", "Full", "Stopped"]),
  detail: Schema.String,
}) {
  static readonly ids = {
    Target: "PXF-EXTRACT-TARGET",
    Full: "PXF-EXTRACT-FULL",
    Stopped: "PXF-EXTRACT-STOPPED",
  } as const satisfies Record<string, ErrorId>
  /** See docs/errors.md. */
  get id(): ErrorId {
    return ExtractError.ids[this.reason]
  }
  override get message(): string {
    switch (this.reason) {
      case "Target":
        return `${this.target}: cannot extract into this folder: ${this.detail}`
      case "Full":
        return `${this.target} takes no more, the extraction is not complete: ${this.detail}`
      case "Stopped":
        return `stopped at the first problem: ${this.detail}`
    }
  }
}

/** Where to extract to, what, and what to restore of it. */
export interface Options<E = never> {
  /** The folder to extract into; made if it is not there, with those above it. A symbolic link there is followed. */
  readonly target: string
  /** Paths and patterns of what to extract (see `Selection`); everything by default. */
  readonly paths?: ReadonlyArray<Uint8Array> | undefined
  /** Whether what is there already, and is no folder, is replaced. */
  readonly overwrite?: boolean | undefined
  /** Whether folders that are there already are extracted into, and given the attributes of the archive. */
  readonly allowExistingDirs?: boolean | undefined
  /** Whether the first problem ends the run. */
  readonly strict?: boolean | undefined
  /** What to extract and restore; everything by default. */
  readonly owner?: boolean | undefined
  /** Modes, and with `acls` access ACLs. */
  readonly permissions?: boolean | undefined
  readonly xattrs?: boolean | undefined
  readonly acls?: boolean | undefined
  readonly fcaps?: boolean | undefined
  readonly deviceNodes?: boolean | undefined
  readonly fifos?: boolean | undefined
  readonly sockets?: boolean | undefined
  /** Folders nested deeper than this are left empty, and reported (D11). */
  readonly maxDepth?: number | undefined
  /** Called now and then, and at the end. The object is the same each time. */
  readonly onProgress?: ((progress: Readonly<Progress>) => void) | undefined
  /** Told of each problem when it is met. Failing ends the run. */
  readonly onProblem?: ((problem: ExtractProblem) => Effect.Effect<void, E>) | undefined
}

/** What was extracted. */
export interface Report extends Readonly<ExtractEntry.Counts> {
  /** The sum of the counts by kind. Folders count when they have their attributes, the target too. */
  readonly entries: number
  readonly problemCounts: ReadonlyMap<Kind, number>
  /** Problems but for those that only root could have avoided, or that follow from options. */
  readonly unexpected: number
  /** The first thousand problems. */
  readonly problems: ReadonlyArray<ExtractProblem>
}

/** Extracts `archive`. */
export const extract = <E = never>(
  archive: Pick<Archive.Archive, "find" | "reader">,
  options: Options<E>,
): Effect.Effect<Report, ExtractError | ArchiveError | SelectionError | E> =>
  Effect.gen(function* () {
    const selection = yield* ExtractSelection.make(archive, options.paths ?? [])
    const root = yield* archive.reader.entry(archive.reader.root)
    return yield* Effect.acquireUseRelease(
      begin(archive.reader, root, selection, options),
      (run) => Effect.andThen(ExtractWalk.walk(run), run.finish),
      (run) =>
        Effect.sync(() => {
          run.entries.abandon()
          run.folders.close()
        }),
    )
  })

const FULL: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EROFS"])

interface Run<E> extends ExtractWalk.Context<E> {
  /** What remains to be done when everything was walked. */
  readonly finish: Effect.Effect<Report, E>
}

/** Opens the target, and sets up what a run needs. */
const begin = Effect.fnUntraced(function* <E>(
  reader: ArchiveReader,
  root: Entry,
  selection: ExtractSelection,
  options: Options<E>,
): Effect.fn.Return<Run<ExtractError | E>, ExtractError> {
  const target = yield* openTarget(options)

  const path = new ExtractPath()
  const problems = new Problems(path)
  const restore = {
    owner: options.owner ?? true,
    permissions: options.permissions ?? true,
    xattrs: options.xattrs ?? true,
    acls: options.acls ?? true,
    fcaps: options.fcaps ?? true,
  }
  const overwrite = options.overwrite ?? false
  const folders = new ExtractFolders(
    target.fd,
    { selected: selection.root(), created: target.created },
    { ...restore, overwrite, allowExistingDirs: options.allowExistingDirs ?? false },
    problems,
  )
  const counts = ExtractEntry.noCounts()
  const pace = new ExtractPace(reader.size, counts, options.onProgress ?? (() => undefined))

  const tell = Effect.fnUntraced(function* (): Effect.fn.Return<void, ExtractError | E> {
    for (const problem of problems.pending.splice(0)) {
      if (options.onProblem !== undefined) yield* options.onProblem(problem)
      if (problem.kind === "NotCreated" && FULL.has(problem.code))
        return yield* failure(options, "Full", problem.message)
      if (options.strict === true) return yield* failure(options, "Stopped", problem.message)
    }
  })

  const report = Effect.suspend(tell)

  const finish = Effect.suspend(() => {
    for (const text of selection.unmatched()) problems.addAt("NoMatch", text, "nothing like that in the archive")
    pace.atEnd()
    return Effect.map(report, (): Report => ({
      ...counts,
      entries: entriesOf(counts),
      problemCounts: problems.counts,
      unexpected: problems.unexpected,
      problems: problems.first,
    }))
  })

  return {
    reader,
    root,
    selection,
    path,
    problems,
    folders,
    restore,
    counts,
    report,
    finish,
    entries: ExtractEntry.make({
      reader,
      folders,
      links: new ExtractLinks(),
      problems,
      restore,
      overwrite,
      counts,
      onContent: (content, done) => pace.inContent(content, done),
    }),
    maxDepth: options.maxDepth ?? Limits.defaults.depth,
    omits: {
      Device: options.deviceNodes === false,
      Fifo: options.fifos === false,
      Socket: options.sockets === false,
    },
    turn: (position) => pace.atEntry(position),
  }
})

const failure = ({ target }: Pick<Options, "target">, reason: ExtractError["reason"], detail: string): ExtractError =>
  new ExtractError({ target, reason, detail })

/** Opens the target folder, which is made if it is not there. */
const openTarget = (
  options: Pick<Options, "target" | "permissions">,
): Effect.Effect<{ readonly fd: number; readonly created: boolean }, ExtractError> =>
  Effect.suspend(() => {
    const { permissions = true, target } = options
    let created = false
    try {
      fs.mkdirSync(DiskPath.forNode(path.dirname(target)), { recursive: true })
      fs.mkdirSync(DiskPath.forNode(target), { mode: permissions ? 0o700 : 0o777 })
      created = true
    } catch (error) {
      const { code, errno } = error as NodeJS.ErrnoException
      if (code !== "EEXIST") return Effect.fail(failure(options, "Target", getSystemErrorMessage(errno ?? -EIO)))
    }
    const fd = Syscalls.openTarget(Bytes.fromText(target))
    return fd < 0 ? Effect.fail(failure(options, "Target", getSystemErrorMessage(fd))) : Effect.succeed({ fd, created })
  })

const { EIO } = Errno.code
