/**
 * `pxar-fuse mount ARCHIVE MOUNTPOINT`: mounts in the background, or in the foreground until it is told to stop.
 *
 * Flags come in groups, one file each in `mount/`.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as PathTemplate from "../../domain/datastore/PathTemplate.ts"
import * as TimeTemplate from "../../domain/datastore/TimeTemplate.ts"
import * as MountOptions from "../../fuse/mount/MountOptions.ts"
import * as Help from "../Help.ts"
import * as RepositoryFlags from "../repository/RepositoryFlags.ts"
import * as Lazy from "../Lazy.ts"
import * as TransportFlags from "./TransportFlags.ts"
import * as LogFlags from "./LogFlags.ts"
import * as PerformanceFlags from "./PerformanceFlags.ts"
import * as ProcessFlags from "./ProcessFlags.ts"
import * as ViewFlags from "./ViewFlags.ts"
import * as Parameters from "../Parameters.ts"

const parseTemplate = (text: string): Option.Option<string> =>
  text === "plain" ? Option.some(TimeTemplate.PLAIN) : TimeTemplate.isTemplate(text) ? Option.some(text) : Option.none()

const parameters = {
  archive: Argument.String("archive").pipe(
    Argument.withDescription(
      "The archive: X.pxar, or X.mpxar of a split archive; or a folder of archives, or a datastore",
    ),
  ),
  // The library takes no argument after one that can be repeated.
  rest: Argument.String("mountpoint").pipe(
    Argument.withDescription("An empty folder to mount it on; archives named before it are mounted too"),
    Argument.atLeast(1),
  ),
  payload: Parameters.payload,
  options: Flag.String("options").pipe(
    Flag.withAlias("o"),
    Flag.withDescription("Mount options, separated by commas (default: ro,nosuid,nodev,default_permissions)"),
    Flag.withMetavar("OPTIONS"),
    Flag.atLeast(0),
  ),
  timeTemplate: Flag.String("time-template").pipe(
    Flag.withDescription("Names of backups in a datastore: plain (no colons), or %Y, %m, %d, %H, %M, %S, %s"),
    Flag.withMetavar("TEMPLATE"),
    Flag.filterMap(parseTemplate, () => "plain, or a template of %Y, %m, %d, %H, %M, %S and %s"),
    Parameters.optional,
  ),
  pathTemplate: Flag.String("path-template").pipe(
    Flag.withDescription("Where backups stand in a datastore, of %type, %id, %time and %ns: %ns/%id/%time"),
    Flag.withMetavar("TEMPLATE"),
    Flag.filterMap(
      (text) => (Result.isSuccess(PathTemplate.parse(text)) ? Option.some(text) : Option.none()),
      (text) => {
        const { failure } = PathTemplate.parse(text) as Result.Failure<never, string>
        return `a path of %type, %id, %time and %ns; ${JSON.stringify(text)} ${failure}`
      },
    ),
    Parameters.optional,
  ),
  ...RepositoryFlags.flags,
  ...ViewFlags.flags,
  ...TransportFlags.flags,
  ...ProcessFlags.flags,
  ...PerformanceFlags.flags,
  ...LogFlags.flags,
}

const options: Help.Section = {
  title: "MOUNT OPTIONS",
  note: "words of -o, with commas between them; every long flag is one too",
  rows: MountOptions.meanings,
}

export const command = Command.make(
  "mount",
  parameters,
  Lazy.handler(() => import("./MountHandler.ts")),
).pipe(
  Command.annotate(Help.Sections, [options]),
  Command.withDescription("Mount an archive, or several, read-only; umount ends it"),
  Command.withExamples([
    { command: "pxar-fuse mount root.pxar /mnt", description: "Mount an archive" },
    { command: "pxar-fuse mount root.mpxar /mnt", description: "Mount a split archive, with root.ppxar beside it" },
    { command: "pxar-fuse mount /backups /mnt", description: "Mount all archives in a folder, each as a folder" },
    { command: "pxar-fuse mount --foreground root.pxar /mnt", description: "Mount until Ctrl-C" },
  ]),
)
