/**
 * Ending a FUSE connection by force: whoever waits for it, or has files open in it, is told at once.
 *
 * For connections whose descriptor this process cannot close because it is a library's. The kernel's control file
 * system does it for the user who mounted; where that is not mounted root can do it through the mount point.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as MountSyscalls from "./MountSyscalls.ts"
import * as MountTable from "./MountTable.ts"

/** Aborts the connection of a mount with this device (`major:minor`). Whether it did. */
export const abort = (mountPoint: string, device: string | undefined): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    if (device === undefined) return Effect.succeed(false)
    try {
      fs.writeFileSync(`/sys/fs/fuse/connections/${device.split(":")[1]}/abort`, "1")
      return Effect.succeed(true)
    } catch {
      return process.geteuid?.() === 0 ? abortAt(mountPoint, device) : Effect.succeed(false)
    }
  })

/** The mount itself stays: it is in use, or there would be nothing to abort. */
const abortAt = (mountPoint: string, device: string): Effect.Effect<boolean> =>
  MountTable.find(mountPoint).pipe(
    Effect.orElseSucceed(() => undefined),
    Effect.flatMap((entry) =>
      entry?.device === device
        ? Effect.as(MountSyscalls.unmount(mountPoint, MountSyscalls.MNT_FORCE | MountSyscalls.UMOUNT_NOFOLLOW), true)
        : Effect.succeed(false),
    ),
  )
