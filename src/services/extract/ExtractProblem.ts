/**
 * What an extraction could not bring back as it is in the archive. It goes on without it; whether that is good enough
 * is the caller's decision.
 *
 * Plain values: a tree can produce thousands. `Problems` counts them all and keeps the first.
 */
import { getSystemErrorMessage, getSystemErrorName } from "node:util"
import * as Data from "effect/Data"
import * as Errno from "../../domain/Errno.ts"
import * as PathText from "../../domain/PathText.ts"
import type { ExtractPath } from "./ExtractPath.ts"

/** What went wrong. */
export type Kind =
  /** An entry, what is in a folder, or a content cannot be read from the archive: left out. */
  | "Unreadable"
  /** There is something of that name: left out. */
  | "Exists"
  /** A symbolic link to a folder is where the archive has a folder: that and what is in it is left out. */
  | "DirectoryLink"
  /** The file system refused an entry, or its content: left out. */
  | "NotCreated"
  /** A folder that was extracted into is not where it was: the rest of it is left out. */
  | "Replaced"
  /** What was asked for is not in the archive. */
  | "NoMatch"
  /** What is not in the archive, and was to be deleted, is still there. */
  | "NotDeleted"
  /** What was extracted is not on disk as it is in the archive. */
  | "Differs"
  /** Something is left from a run that was killed. */
  | "Leftover"
  /** A hard link became a file of its own, with the same content. */
  | "Copied"
  /** The archive contradicts itself in an attribute: what was usable was used. */
  | "Anomaly"
  /** An attribute was not restored, or not exactly. */
  | "Owner"
  | "Mode"
  | "Xattr"
  | "Acl"
  | "Capability"
  | "Time"
  | "Flags"
  | "ProjectId"

const missing: ReadonlySet<Kind> = new Set<Kind>([
  "Unreadable",
  "Exists",
  "DirectoryLink",
  "NotCreated",
  "Replaced",
  "NoMatch",
])

/** Whether an entry is missing, not just an attribute of it. */
export const isMissing = (kind: Kind): boolean => missing.has(kind)

/** One thing that is missing, or not as it is in the archive. */
export class ExtractProblem extends Data.TaggedClass("ExtractProblem")<{
  readonly kind: Kind
  /** Relative to the root, without a slash at either end; empty for the root. */
  readonly path: Uint8Array
  readonly detail: string
  /** `EPERM`, `ENOSPC`, … where a system call failed. */
  readonly code: string | undefined
  /** An attribute that nobody but root could have restored, or that an option left out. */
  readonly expected: boolean
}> {
  get message(): string {
    return `${this.path.length === 0 ? "." : PathText.print(this.path)}: ${this.detail}`
  }
}

/** Most problems that are kept; all are counted. */
const MAX_KEPT = 1000

const EPERM = "EPERM"

/** What a negative errno means. */
const errorText = (errno: number): string =>
  errno === -Errno.code.EOPNOTSUPP ? "this file system does not have that" : getSystemErrorMessage(errno)

/**
 * The problems of one run.
 *
 * @internal
 */
export class Problems {
  /** Those that nobody has been told of yet. */
  pending: Array<ExtractProblem> = []
  readonly first: Array<ExtractProblem> = []
  readonly counts = new Map<Kind, number>()
  /** Those that are not `expected`. */
  unexpected = 0
  /** Entries that are missing, of those that stand in the archive. */
  missing = 0
  /** Entries that cannot be read from the archive. */
  unreadable = 0
  private readonly path: ExtractPath
  private readonly isRoot: boolean

  constructor(path: ExtractPath, isRoot: boolean) {
    this.path = path
    this.isRoot = isRoot
  }

  /**
   * Adds a problem of the entry at the current path, or at its first `length` bytes. `errno` is the negative one of the
   * call that failed.
   */
  add(kind: Kind, detail: string, errno?: number, length?: number): void {
    const code = errno === undefined ? undefined : getSystemErrorName(errno)
    const text = errno === undefined ? detail : `${detail}: ${errorText(errno)}`
    this.keep(kind, text, this.path.bytes(length), code, code === EPERM && !this.isRoot && !isMissing(kind))
  }

  /** Adds a problem that follows from what the caller asked for, or that costs nothing of the archive. */
  addExpected(kind: Kind, detail: string, length?: number, errno?: number): void {
    const text = errno === undefined ? detail : `${detail}: ${errorText(errno)}`
    this.keep(kind, text, this.path.bytes(length), undefined, true)
  }

  /** Adds a problem of something that is at no path. */
  addAt(kind: Kind, path: Uint8Array, detail: string): void {
    this.keep(kind, detail, path, undefined, false)
  }

  private keep(kind: Kind, detail: string, path: Uint8Array, code: string | undefined, expected: boolean): void {
    const problem = new ExtractProblem({ kind, path, detail, code, expected })
    this.pending.push(problem)
    if (this.first.length < MAX_KEPT) this.first.push(problem)
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    if (!expected) this.unexpected++
    if (isMissing(kind)) this.missing++
    if (kind === "Unreadable") this.unreadable++
  }
}
