/**
 * `pxar-fuse create ARCHIVE DIR`: writes an archive of a folder.
 *
 * The archive appears when it is complete. What was not stored as it was found is said as it happens; the exit code
 * says whether there was any.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as PathText from "../domain/PathText.ts"
import * as CreateArchive from "../services/create/CreateArchive.ts"
import type { Kind } from "../services/create/SourceWarning.ts"
import * as ExitCode from "./ExitCode.ts"
import * as Parameters from "./Parameters.ts"
import * as Progress from "./Progress.ts"

const parameters = {
  archive: Argument.String("archive").pipe(
    Argument.withDescription("The archive to write: X.pxar, or X.mpxar for a split archive; it must not be there yet"),
  ),
  source: Argument.String("dir").pipe(Argument.withDescription("The folder to archive")),
  payload: Parameters.payload,
  exclude: Flag.String("exclude").pipe(
    Flag.withDescription("Leave out what this pattern matches; can be repeated, and is recorded in the archive"),
    Flag.withMetavar("PATTERN"),
    Flag.atLeast(0),
  ),
  oneFileSystem: Parameters.flag("one-file-system", "Store mount points as empty folders (default)"),
  allFileSystems: Parameters.flag("all-file-systems", "Store what is mounted below the folder too"),
  noXattrs: Parameters.flag("no-xattrs", "Do not store extended attributes"),
  noAcls: Parameters.flag("no-acls", "Do not store ACLs"),
  noFcaps: Parameters.flag("no-fcaps", "Do not store file capabilities"),
  noDeviceNodes: Parameters.flag("no-device-nodes", "Leave out devices"),
  noFifos: Parameters.flag("no-fifos", "Leave out FIFOs"),
  noSockets: Parameters.flag("no-sockets", "Leave out sockets"),
  verbose: Parameters.flag("verbose", "Say at the end what was stored"),
}

export const command = Command.make(
  "create",
  parameters,
  Effect.fn("create")(function* ({ allFileSystems, archive, exclude, source, verbose, ...flags }) {
    if (allFileSystems && flags.oneFileSystem) {
      return yield* new ExitCode.Usage({ detail: "give --one-file-system or --all-file-systems, not both" })
    }
    const progress = yield* Progress.make()
    let incomplete = false
    const summary = yield* CreateArchive.create({
      source,
      archive,
      payload: flags.payload ?? payloadBeside(archive),
      exclude: exclude.map(PathText.parse),
      oneFileSystem: !allFileSystems,
      xattrs: !flags.noXattrs,
      acls: !flags.noAcls,
      fcaps: !flags.noFcaps,
      deviceNodes: !flags.noDeviceNodes,
      fifos: !flags.noFifos,
      sockets: !flags.noSockets,
      onProgress: ({ contentBytes, entries }) => progress.update({ entries, bytes: contentBytes }),
      onWarning: (warning) => {
        incomplete ||= !intended.has(warning.kind)
        return progress.say(warning.message)
      },
    }).pipe(Effect.onInterrupt(() => progress.say(`interrupted; ${archive} was not written`)))
    if (verbose) {
      const { archiveSize, contentBytes, entries, payloadSize = 0 } = summary
      const size = Progress.formatBytes(archiveSize + payloadSize)
      yield* progress.say(`${entries} entries with ${Progress.formatBytes(contentBytes)} of contents stored in ${size}`)
    }
    if (incomplete) return yield* new ExitCode.Ended({ code: ExitCode.INCOMPLETE })
  }, Effect.scoped),
).pipe(
  Command.withDescription("Write an archive of a folder"),
  Command.withExamples([
    { command: "pxar-fuse create home.pxar /home --exclude '*.o'", description: "A folder without object files" },
    { command: "pxar-fuse create root.mpxar /", description: "A split archive: root.mpxar and root.ppxar" },
  ]),
)

/** What is left out because it was to be. */
const intended: ReadonlySet<Kind> = new Set<Kind>(["MountPoint", "Itself"])

/** An archive whose name says that it is one half of two gets its other half, as reading it expects. */
const payloadBeside = (archive: string): string | undefined =>
  archive.endsWith(".mpxar") ? archive.replace(/\.mpxar$/, ".ppxar") : undefined
