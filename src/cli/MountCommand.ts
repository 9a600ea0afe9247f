/**
 * `pxar-fuse mount ARCHIVE MOUNTPOINT`: mounts in the foreground until it is told to stop or unmounted.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Mount from "../fuse/Mount.ts"
import * as MountOptions from "../fuse/MountOptions.ts"
import * as ExitCode from "./ExitCode.ts"
import * as Parameters from "./Parameters.ts"
import * as Terminal from "./Terminal.ts"

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
  verbose: Flag.Boolean("verbose").pipe(
    Flag.withDescription("Say when the mount is ready, and count the requests at the end"),
    Flag.withDefault(false),
  ),
}

export const command = Command.make(
  "mount",
  parameters,
  Effect.fn("mount")(function* ({ archive, mountPoint, options, payload, verbose }) {
    const mountOptions = yield* Effect.fromResult(MountOptions.parse(options))
    const mounted = yield* Mount.mountPath(archive, {
      mountPoint,
      payload,
      options: mountOptions,
      onLazyUnmount: Terminal.say,
    })
    const onInterrupt = yield* ExitCode.OnInterrupt
    onInterrupt.code = ExitCode.SUCCESS
    if (verbose || Terminal.isInteractive()) {
      const hint = Terminal.isInteractive() ? "; Ctrl-C or umount ends it" : ""
      yield* Terminal.say(`${archive} mounted on ${mounted.mountPoint}${hint}`)
    }
    if (verbose) {
      yield* Effect.addFinalizer(() => Effect.flatMap(mounted.counters, (counters) => Terminal.say(summary(counters))))
    }
    yield* mounted.ended
  }, Effect.scoped),
).pipe(
  Command.withDescription("Mount an archive read-only, in the foreground; Ctrl-C or umount ends it"),
  Command.withExamples([
    { command: "pxar-fuse mount root.pxar /mnt", description: "Mount an archive" },
    { command: "pxar-fuse mount root.mpxar /mnt", description: "Mount a split archive, with root.ppxar beside it" },
  ]),
)

const summary = ({ abandoned, delivered, errors, requests }: Mount.Counters): string => {
  const counts = Object.entries(requests)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
  return `${delivered} replies, ${abandoned} not wanted any more, ${errors} errors; requests: ${counts.join(", ")}`
}
