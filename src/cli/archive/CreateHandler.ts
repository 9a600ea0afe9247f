/**
 * What `pxar-fuse create` does (see `CreateCommand`).
 *
 * The archive appears when it is complete. What was not stored as it was found is said as it happens; the exit code
 * says whether there was any.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../../domain/Bytes.ts"
import * as PathText from "../../domain/PathText.ts"
import * as CreateArchive from "../../services/create/CreateArchive.ts"
import type { Kind } from "../../services/disk/DiskWarning.ts"
import * as ExitCode from "../ExitCode.ts"
import * as KindFlags from "./KindFlags.ts"
import * as Progress from "../Progress.ts"

export interface Input extends KindFlags.Given {
  readonly archive: string
  readonly source: string
  /** By default beside the archive, if that is called X.mpxar. */
  readonly payload: string | undefined
  readonly exclude: ReadonlyArray<string>
  readonly oneFileSystem: boolean
  readonly allFileSystems: boolean
  readonly progress: Progress.Mode
}

export const handler = Effect.fn("create")(function* ({
  allFileSystems,
  archive,
  exclude,
  progress: mode,
  source,
  ...flags
}: Input) {
  if (allFileSystems && flags.oneFileSystem) {
    return yield* new ExitCode.Usage({ detail: "give --one-file-system or --all-file-systems, not both" })
  }
  const payload = flags.payload ?? payloadBeside(archive)
  if (archive.endsWith(".ppxar")) {
    const detail = `${archive} is what the payload half of a split archive is called; give X.mpxar, or X.pxar for a whole one`
    return yield* new ExitCode.Usage({ detail })
  }
  if (isStdout(archive) && flags.payload !== undefined && isStdout(flags.payload)) {
    return yield* new ExitCode.Usage({ detail: "one of the halves of an archive can go to stdout, not both" })
  }
  const progress = yield* Progress.make({ mode })
  let incomplete = false
  const summary = yield* CreateArchive.create({
    source: Bytes.fromText(source),
    archive: Bytes.fromText(archive),
    payload: payload === undefined ? undefined : Bytes.fromText(payload),
    exclude: exclude.map(PathText.parse),
    oneFileSystem: !allFileSystems,
    ...KindFlags.kept(flags),
    onProgress: ({ contentBytes, entries }) => progress.update({ entries, bytes: contentBytes }),
    onWarning: (warning) => {
      incomplete ||= !intended.has(warning.kind)
      return progress.say(warning.message)
    },
  }).pipe(
    // As for every command whose reader goes away.
    Effect.mapError((error) =>
      error._tag === "SinkError" && error.code === "EPIPE"
        ? new ExitCode.Ended({ code: ExitCode.OUTPUT_CLOSED })
        : error,
    ),
    Effect.onInterrupt(() =>
      progress.say(isStdout(archive) ? "interrupted; what was written is no whole archive" : notWritten(archive)),
    ),
  )
  const { archiveSize, contentBytes, entries, payloadSize = 0 } = summary
  const size = Progress.formatBytes(archiveSize + payloadSize)
  yield* progress.detail(
    `${Progress.formatCount(entries, "entry", "entries")} with ${Progress.formatBytes(contentBytes)} of contents stored in ${size}`,
  )
  if (incomplete) return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
}, Effect.scoped)

const notWritten = (archive: string): string => `interrupted; ${archive} was not written`

const isStdout = (path: string): boolean => path === "-" || path === "/dev/stdout"

/** What is left out because it was to be. */
const intended: ReadonlySet<Kind> = new Set<Kind>(["MountPoint", "Itself", "Sparse", "Unused"])

/** An archive whose name says that it is one half of two gets its other half, as reading it expects. */
const payloadBeside = (archive: string): string | undefined =>
  archive.endsWith(".mpxar") ? archive.replace(/\.mpxar$/, ".ppxar") : undefined
