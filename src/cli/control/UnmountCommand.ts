/**
 * `pxar-fuse unmount MOUNTPOINT…`: ends mounts, also those that are in use, or whose process is gone.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { handlers } from "../fast/Handlers.ts"
import * as Lazy from "../Lazy.ts"
import * as Parameters from "../Parameters.ts"

const parameters = {
  mountPoints: Argument.String("mountpoint").pipe(
    Argument.withDescription("Where archives are mounted"),
    Argument.variadic({ min: 1 }),
  ),
  ...Parameters.messages,
}

export const command = Command.make("unmount", parameters, Lazy.handler(handlers.unmount)).pipe(
  Command.withAlias("umount"),
  Command.withDescription("End a mount; one in use is detached, and ends with its last user"),
  Command.withExamples([{ command: "pxar-fuse unmount /mnt", description: "End the mount on /mnt" }]),
)
