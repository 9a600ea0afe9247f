/**
 * Flags about the life of the process that serves a mount.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Parameters from "../Parameters.ts"

export const flags = {
  foreground: Parameters.flag("foreground", "Stay in the foreground; Ctrl-C or umount ends it").pipe(
    Flag.withAlias("f"),
  ),
  pidFile: Flag.String("pid-file").pipe(
    Flag.withDescription("Write the process id of the mount to this file while it lasts"),
    Flag.withMetavar("FILE"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
  ),
  notifyFd: Flag.Int("notify-fd").pipe(
    Flag.withDescription("Write a newline to this descriptor when the mount is ready, and close it"),
    Flag.withMetavar("N"),
    Flag.filter(
      (descriptor) => descriptor > 2,
      (descriptor) => `expected a descriptor above 2, got ${descriptor}`,
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
  ),
}
