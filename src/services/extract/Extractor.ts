/**
 * Extracts an archive, or what patterns select of it, into a folder.
 *
 * Guarantees: nothing outside the target folder is written or changed, whatever names and links the archive or the
 * folder holds; what is there already stays as it is, unless the options say otherwise, and then until what replaces it
 * is whole; whatever ends a run, no file has its name that is not whole. Everything is restored that can be; the rest is
 * reported, and the run goes on unless it is `strict`. Memory is bounded, but for what hard links need, 16 bytes a file
 * and a few hundred a folder, and 16 to 32 bytes for each entry of a folder that was there before and is being extracted
 * into.
 *
 * A folder is open to its owner only while it is extracted into, and gets its attributes when it is complete: those that
 * a run was in when it was interrupted keep the mode 0700. Writing holds up the program for as long as the disk takes;
 * others have a turn every few entries.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { getSystemErrorMessage } from "node:util"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as Bytes from "../../domain/Bytes.ts"
import type { ErrorId } from "../../domain/ErrorId.ts"
import * as Errno from "../../domain/Errno.ts"
import * as XattrList from "../../domain/pxar/XattrList.ts"
import type { ArchiveError } from "../archive/ArchiveError.ts"
import type { ArchiveTree } from "../archive/ArchiveTree.ts"
import { Caller } from "../posix/Caller.ts"
import * as DiskPath from "../posix/DiskPath.ts"
import * as NameSyscalls from "../posix/NameSyscalls.ts"
import * as ReadSyscalls from "../posix/ReadSyscalls.ts"
import * as Syscalls from "../posix/WriteSyscalls.ts"
import type * as Archive from "../tree/Archive.ts"
import * as Selection from "../tree/Selection.ts"
import { type Counts, noCounts } from "./Counts.ts"
import type { Overwrite } from "./Existing.ts"
import { ExtractFilter } from "./ExtractFilter.ts"
import * as ExtractAttributes from "./ExtractAttributes.ts"
import * as ExtractOptions from "./ExtractOptions.ts"
import type { Options } from "./ExtractOptions.ts"
import { entriesOf, ExtractPace, type Progress } from "./ExtractPace.ts"
import { ExtractPath } from "./ExtractPath.ts"
import type { Step } from "./ExtractPlan.ts"
import { type ExtractProblem, type Kind, Problems } from "./ExtractProblem.ts"
import * as ExtractRun from "./ExtractRun.ts"
import * as ExtractWalk from "./ExtractWalk.ts"
import * as Folders from "./Folder.ts"
import { unlock } from "./FolderOpener.ts"
import { InodeSet } from "./InodeSet.ts"
import * as Leftovers from "./Leftovers.ts"

export type { Options, Overwrite, Progress, Step }

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

/** What was extracted. */
export interface Report extends Readonly<Counts> {
  /** The sum of the counts of what was extracted, by kind. Folders count when they have their attributes, the target too. */
  readonly entries: number
  readonly problemCounts: ReadonlyMap<Kind, number>
  /** Problems but for those that only root could have avoided, or that follow from options. */
  readonly unexpected: number
  /** Patterns of `exclude` by which nothing was left out. */
  readonly unusedExcludes: ReadonlyArray<Uint8Array>
  /** The first thousand problems. */
  readonly problems: ReadonlyArray<ExtractProblem>
}

/** Entries extracted by this program; updated at the end of a run that was not cut short. */
export const extractedEntries: Metric.Counter<number> = Metric.counter("pxar_fuse_extracted_entries", {
  description: "Entries that were extracted",
  incremental: true,
})

/** What could not be extracted, or not exactly, and was not expected to be so. */
export const extractProblems: Metric.Counter<number> = Metric.counter("pxar_fuse_extract_problems", {
  description: "Problems of extractions",
  incremental: true,
})

/** Extracts `archive`, in a span `pxar-fuse.extract`. */
export const extract = <E = never>(
  archive: Pick<Archive.Archive, "find" | "reader">,
  options: Options<E>,
): Effect.Effect<Report, ExtractError | ArchiveError | Selection.SelectionError | E> =>
  Effect.gen(function* () {
    const { reader } = archive
    const selection = yield* Selection.make(archive, options.paths ?? [])
    const filter = yield* ExtractFilter.make(reader.archive, selection, options.exclude ?? [])
    const clock = yield* Clock.Clock
    return yield* Effect.acquireUseRelease(
      openTarget(options),
      (target) => run(reader, selection, filter, target, clock, options),
      ({ fd }) =>
        Effect.sync(() => {
          if (fd >= 0) ReadSyscalls.close(fd)
        }),
    )
  }).pipe(
    Effect.tap(({ entries, unexpected }) =>
      Effect.andThen(Metric.update(extractedEntries, entries), Metric.update(extractProblems, unexpected)),
    ),
    Effect.withSpan("pxar-fuse.extract", { attributes: { target: options.target } }),
  )

const FULL: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EROFS"])

const run = Effect.fnUntraced(function* <E>(
  reader: ArchiveTree,
  selection: Selection.Selection,
  filter: ExtractFilter,
  target: Target,
  clock: Clock.Clock,
  options: Options<E>,
): Effect.fn.Return<Report, ExtractError | ArchiveError | E> {
  const { euid } = yield* Caller
  const resolved = ExtractOptions.resolve(options, euid)
  const currentPath = new ExtractPath()
  const problems = new Problems(currentPath, resolved.isRoot)
  const counts = noCounts()
  const onProgress = options.onProgress ?? (() => undefined)
  const pace = new ExtractPace(reader.size, counts, onProgress, () => clock.currentTimeMillisUnsafe())
  const isSelected = selection.selects(Bytes.empty, 0, true, selection.otherwise)
  const rootFolder = (making: boolean) => openRoot(target, isSelected, making, resolved, problems)
  const context = { reader, filter, path: currentPath, problems, counts, pace, resolved, root: rootFolder }

  const tell = Effect.fnUntraced(function* (steps: Array<Step>): Effect.fn.Return<void, ExtractError | E> {
    for (const step of steps.splice(0)) if (options.onStep !== undefined) yield* options.onStep(step)
    for (const problem of problems.pending.splice(0)) {
      if (options.onProblem !== undefined) yield* options.onProblem(problem)
      if (problem.kind === "NotCreated" && FULL.has(problem.code))
        return yield* failure(options, "Full", problem.message)
      if (options.strict === true && problem.kind !== "Leftover")
        return yield* failure(options, "Stopped", problem.message)
    }
  })

  /** Goes through the archive once. */
  const pass = (one: ExtractRun.Pass): Effect.Effect<void, ExtractError | ArchiveError | E> =>
    Effect.ensuring(
      ExtractWalk.walk({
        reader,
        root: selection.root.entry,
        selection: filter,
        strip: resolved.strip,
        path: currentPath,
        problems,
        counts,
        maxDepth: resolved.maxDepth,
        omits: resolved.omits,
        turn: (position) => pace.atEntry(position),
        report: Effect.suspend(() => tell(one.steps)),
        hasNews: () => problems.pending.length > 0 || one.steps.length > 0,
        ...one,
      }),
      Effect.sync(() => {
        one.entries.abandon()
        one.folders.close()
      }),
    )

  if (options.dryRun === true) yield* pass(ExtractRun.planning(context, options.delete === true))
  else {
    yield* pass(ExtractRun.extracting(context, options.delete === true))
    if (options.verify === true) {
      yield* syncFileSystem(target.fd)
      yield* pass(ExtractRun.checking(context))
    }
  }
  const { cut } = reader
  // Of a stream that has been met on the way.
  if (cut !== undefined && reader.comesOnce !== true)
    problems.addAt("Unreadable", cut.path.subarray(1), cut.error.message)
  for (const text of selection.unmatched()) problems.addAt("NoMatch", text, "nothing like that in the archive")
  pace.atEnd()
  yield* tell([])
  return {
    ...counts,
    entries: entriesOf(counts),
    problemCounts: problems.counts,
    unexpected: problems.unexpected,
    unusedExcludes: filter.unused(),
    problems: problems.first,
  }
})

const failure = ({ target }: Pick<Options, "target">, reason: ExtractError["reason"], detail: string): ExtractError =>
  new ExtractError({ target, reason, detail })

/** The target folder: open, or -1 if it is not there and this is a dry run. */
interface Target {
  readonly fd: number
  readonly created: boolean
}

/** Opens the target folder, which is made if it is not there. */
const openTarget = (
  options: Pick<Options, "target" | "permissions" | "stripComponents" | "dryRun">,
): Effect.Effect<Target, ExtractError> =>
  Effect.suspend(() => {
    const { permissions = true, target } = options
    // With names left out the root of the archive is not extracted, so this folder is an ordinary one.
    const isRoot = (options.stripComponents ?? 0) === 0
    let created = false
    if (options.dryRun !== true) {
      try {
        fs.mkdirSync(DiskPath.forNode(path.dirname(target)), { recursive: true })
        fs.mkdirSync(DiskPath.forNode(target), { mode: permissions && isRoot ? 0o700 : 0o777 })
        created = isRoot
      } catch (error) {
        const { code, errno } = error as NodeJS.ErrnoException
        if (code !== "EEXIST") {
          return Effect.fail(failure(options, "Target", getSystemErrorMessage(errno ?? -Errno.code.EIO)))
        }
      }
    }
    const fd = Syscalls.openTarget(Bytes.fromText(target))
    if (fd >= 0) return Effect.succeed({ fd, created })
    return options.dryRun === true && fd === -Errno.code.ENOENT
      ? Effect.succeed({ fd: -1, created: true })
      : Effect.fail(failure(options, "Target", getSystemErrorMessage(fd)))
  })

/** The target folder as one that is extracted into, or only looked at. */
const openRoot = (
  { created, fd }: Target,
  selected: boolean,
  making: boolean,
  { euid, restore, strip }: ExtractOptions.Resolved,
  problems: Problems,
): Folders.Folder => {
  const isPassed = strip > 0
  if (fd < 0) return { ...Folders.root(fd, { ...noRoot, isPassed, selected, created: false }), state: "Absent" }
  const status = ReadSyscalls.statusOf(fd)
  const isExisting = making && !created && typeof status !== "number"
  const lockedFlags = isExisting ? ExtractAttributes.unprotect(fd) : undefined
  if (lockedFlags !== undefined && lockedFlags < 0)
    problems.add("NotCreated", ExtractAttributes.PROTECTED, lockedFlags, 0)
  if (isExisting) Leftovers.remove(fd, problems, 0)
  return Folders.root(fd, {
    isPassed,
    selected,
    created,
    identity: typeof status === "number" ? undefined : status,
    inheritsAcl: restore.acls && Syscalls.xattrSize(fd, XattrList.ACL_DEFAULT) > 0,
    written: making && created ? undefined : new InodeSet(),
    lockedMode: isExisting ? unlock(fd, status, euid) : undefined,
    lockedFlags: lockedFlags !== undefined && lockedFlags > 0 ? lockedFlags : undefined,
  })
}

const noRoot = {
  identity: undefined,
  inheritsAcl: false,
  written: undefined,
  lockedMode: undefined,
  lockedFlags: undefined,
}

/** Waits until what was written is on its disk, so that reading it again says something about that. */
const syncFileSystem = (fd: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    NameSyscalls.syncFileSystem(fd, () => resume(Effect.void))
  })
