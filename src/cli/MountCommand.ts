/**
 * `pxar-fuse mount ARCHIVE MOUNTPOINT`: mounts in the background, or in the foreground until it is told to stop.
 *
 * Flags come in groups, one file each in `mount/`, where the process that serves is too.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Background from "./mount/Background.ts"
import * as LogFlags from "./mount/LogFlags.ts"
import * as ProcessFlags from "./mount/ProcessFlags.ts"
import * as Serve from "./mount/Serve.ts"
import * as Parameters from "./Parameters.ts"

const parameters = {
  archive: Parameters.archive,
  mountPoint: Argument.String("mountpoint").pipe(Argument.withDescription("An empty folder to mount it on")),
  payload: Parameters.payload,
  options: Flag.String("options").pipe(
    Flag.withAlias("o"),
    Flag.withDescription("Mount options, separated by commas (default: ro,nosuid,nodev,default_permissions)"),
    Flag.withMetavar("OPTIONS"),
    Flag.atLeast(0),
  ),
  ...ProcessFlags.flags,
  ...LogFlags.flags,
}

export const command = Command.make(
  "mount",
  parameters,
  Effect.fn("mount")(function* ({ foreground, ...settings }) {
    const { parent } = Background
    if (foreground || parent !== undefined) return yield* Serve.serve(settings, parent)
    yield* Background.start(ProcessFlags.descriptors(settings))
  }),
).pipe(
  Command.withDescription("Mount an archive read-only; umount ends it"),
  Command.withExamples([
    { command: "pxar-fuse mount root.pxar /mnt", description: "Mount an archive" },
    { command: "pxar-fuse mount root.mpxar /mnt", description: "Mount a split archive, with root.ppxar beside it" },
    { command: "pxar-fuse mount --foreground root.pxar /mnt", description: "Mount until Ctrl-C" },
  ]),
)
