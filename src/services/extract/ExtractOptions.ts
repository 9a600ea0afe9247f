/**
 * What an extraction is asked for.
 */
import type * as Effect from "effect/Effect"
import * as Limits from "../../domain/pxar/Limits.ts"
import * as Existing from "./Existing.ts"
import type { Overwrite } from "./Existing.ts"
import type { Progress } from "./ExtractPace.ts"
import type { Step } from "./ExtractPlan.ts"
import type { ExtractProblem } from "./ExtractProblem.ts"

/** Where to extract to, what, and what to restore of it. */
export interface Options<E = never> {
  /** The folder to extract into; made if it is not there, with those above it. A symbolic link there is followed. */
  readonly target: string
  /** Paths and patterns of what to extract (see `Selection`); everything by default. */
  readonly paths?: ReadonlyArray<Uint8Array> | undefined
  /** Patterns of what to leave out of that, with all that is in it. */
  readonly exclude?: ReadonlyArray<Uint8Array> | undefined
  /** How many names at the beginning of each path to leave out; what has no more names is not extracted. */
  readonly stripComponents?: number | undefined
  /**
   * What happens to what is there already, and is no folder (see `Overwrite`): `true` is `always`, `false` and the
   * default `refuse`.
   */
  readonly overwrite?: boolean | Overwrite | undefined
  /**
   * Whether folders that are there already are extracted into, and given the attributes of the archive. By default where
   * `overwrite` is meant to complete an earlier run.
   */
  readonly allowExistingDirs?: boolean | undefined
  /** Whether folders, and links to folders, make way for what is of another kind, if `overwrite` is such. */
  readonly force?: boolean | undefined
  /** Whether a symbolic link to a folder inside the target stands for that folder where the archive has a folder. */
  readonly keepDirectorySymlink?: boolean | undefined
  /** Whether what the archive does not have is deleted from the folders that are extracted. */
  readonly delete?: boolean | undefined
  /** Whether nothing is done, and `onStep` told what would be. */
  readonly dryRun?: boolean | undefined
  /** Whether what was extracted is compared with the archive in the end. */
  readonly verify?: boolean | undefined
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
  /** Whether this process can do what only root can: by default if its user is root. */
  readonly isRoot?: boolean | undefined
  /** Called now and then, and at the end. The object is the same each time. */
  readonly onProgress?: ((progress: Readonly<Progress>) => void) | undefined
  /** Told of each problem when it is met. Failing ends the run. */
  readonly onProblem?: ((problem: ExtractProblem) => Effect.Effect<void, E>) | undefined
  /** Told of each step of a dry run. Failing ends the run. */
  readonly onStep?: ((step: Step) => Effect.Effect<void, E>) | undefined
}

/** Options with the defaults in, for a run as the user `euid`. */
export const resolve = <E>(options: Options<E>, euid: number) => {
  const { overwrite: given = false } = options
  const overwrite: Overwrite = given === true ? "always" : given === false ? "refuse" : given
  return {
    overwrite,
    allowExistingDirs: options.allowExistingDirs ?? Existing.completes(overwrite),
    force: options.force ?? false,
    keepDirectorySymlink: options.keepDirectorySymlink ?? false,
    strip: options.stripComponents ?? 0,
    euid,
    isRoot: options.isRoot ?? euid === 0,
    maxDepth: options.maxDepth ?? Limits.defaults.depth,
    restore: {
      owner: options.owner ?? true,
      permissions: options.permissions ?? true,
      xattrs: options.xattrs ?? true,
      acls: options.acls ?? true,
      fcaps: options.fcaps ?? true,
    },
    omits: {
      Device: options.deviceNodes === false,
      Fifo: options.fifos === false,
      Socket: options.sockets === false,
    },
  }
}

export type Resolved = ReturnType<typeof resolve>
