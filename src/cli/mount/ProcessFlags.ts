/**
 * Flags about the life of the process that serves a mount.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Parameters from "../Parameters.ts"

const units: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 }

/** Milliseconds, more than none. */
export const parseTime = (text: string): Option.Option<number> => {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? []
  const milliseconds = Number(number) * 1000 * (units[unit] ?? Number.NaN)
  return milliseconds > 0 && Number.isFinite(milliseconds) ? Option.some(milliseconds) : Option.none()
}

export const flags = {
  foreground: Parameters.flag("foreground", "Stay in the foreground; Ctrl-C or umount ends it").pipe(
    Flag.withAlias("f"),
  ),
  pidFile: Flag.String("pid-file").pipe(
    Flag.withDescription("Write the process id of the mount to this file while it lasts"),
    Flag.withMetavar("FILE"),
    Parameters.optional,
  ),
  notifyFd: Flag.Int("notify-fd").pipe(
    Flag.withDescription("Write a newline to this descriptor when the mount is ready, and close it"),
    Flag.withMetavar("N"),
    Flag.filter(
      (descriptor) => descriptor > 2,
      () => "a descriptor above 2",
    ),
    Parameters.optional,
  ),
  idleTimeout: Flag.String("idle-timeout").pipe(
    Flag.withDescription(
      "Unmount when nobody has used the mount for this long: seconds, or a number with s, m, h or d",
    ),
    Flag.withMetavar("TIME"),
    Flag.filterMap(parseTime, () => "a time such as 90, 90s, 15m or 2h"),
    Parameters.optional,
  ),
  autoMountpoint: Parameters.flag(
    "auto-mountpoint",
    "Create the mount point if it is missing, and remove it at the end",
  ),
  force: Parameters.flag("force", "Replace a mount there whose server is gone"),
}
