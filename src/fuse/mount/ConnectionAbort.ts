/**
 * Ending a FUSE connection by force: whoever waits for it, or has files open in it, is told at once.
 *
 * For connections whose descriptor this process cannot close because it is a library's. The kernel's control file
 * system does it for the user who mounted; where that is not mounted root can do it through the mount point.
 */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { codeOf } from "./MountError.ts"
import { Mounter } from "./Mounter.ts"
import * as MountPlace from "./MountPlace.ts"
import * as MountSyscalls from "./MountSyscalls.ts"
import * as MountTable from "./MountTable.ts"

/** Aborts the connection of a mount with this device (`major:minor`). Whether it did. */
export const abort = Effect.fnUntraced(function* (
  mountPoint: string,
  device: string | undefined,
): Effect.fn.Return<boolean> {
  if (device === undefined) return false
  const asked = Effect.try({
    try: () => fs.writeFileSync(`/sys/fs/fuse/connections/${device.split(":")[1]}/abort`, "1"),
    catch: codeOf,
  })
  if (Result.isSuccess(yield* Effect.result(asked))) return true
  const { euid } = yield* Mounter
  return euid === 0 && (yield* Effect.scoped(abortAt(mountPoint, device)))
})

/** The mount itself stays: it is in use, or there would be nothing to abort. */
const abortAt = (mountPoint: string, device: string) =>
  Effect.gen(function* () {
    const entry = yield* MountTable.find(mountPoint)
    if (entry?.device !== device) return false
    const place = yield* MountPlace.hold(entry.mountPoint)
    if (!(yield* MountPlace.isStill(place, entry))) return false
    yield* MountPlace.unmount(place, MountSyscalls.MNT_FORCE)
    return true
  }).pipe(Effect.orElseSucceed(() => false))
