/**
 * `pxar-fuse unmount MOUNTPOINT`: ends a mount, also one that is in use, or whose process is gone.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"

const parameters = {
  mountPoint: Argument.String("mountpoint").pipe(Argument.withDescription("Where the archive is mounted")),
}

export const command = Command.make(
  "unmount",
  parameters,
  Lazy.handler(() => import("./UnmountHandler.ts")),
).pipe(
  Command.withDescription("End a mount; one that is in use goes out of sight and ends with its last user"),
  Command.withExamples([{ command: "pxar-fuse unmount /mnt", description: "End the mount on /mnt" }]),
)
