/**
 * Changing the flags of a mount that is there, as `mount -o remount` does: `noexec`, `nosuid` and their kin. It stays
 * read-only, and what its file system was told when it was mounted stays as it is. Only root may.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as DiskPath from "../../services/posix/DiskPath.ts"
import { check, MountError, refusal } from "./MountError.ts"
import * as MountOptions from "./MountOptions.ts"
import * as MountPlace from "./MountPlace.ts"
import * as MountSyscalls from "./MountSyscalls.ts"
import * as MountTable from "./MountTable.ts"

const MS_REMOUNT = 32

/** Gives this mount the flags of the options. Fails with the reasons of `MountError`. */
export const remount = (entry: MountTable.Entry, options: MountOptions.MountOptions): Effect.Effect<void, MountError> =>
  Effect.scoped(held(entry, options))

const held = Effect.fnUntraced(function* (
  entry: MountTable.Entry,
  options: MountOptions.MountOptions,
): Effect.fn.Return<void, MountError, Scope.Scope> {
  const mountPoint = MountTable.pathOf(entry)
  const place = yield* Effect.mapError(MountPlace.hold(entry.mountPoint), (code) => refusal(mountPoint, "open", code))
  if (!(yield* MountPlace.isStill(place, entry))) {
    const detail = "what was mounted there is not there any more, or covered"
    return yield* new MountError({ reason: "Failed", mountPoint, detail })
  }
  const result = yield* MountSyscalls.mount({
    source: entry.source,
    target: DiskPath.fromNode(MountPlace.pathOf(place)),
    type: entry.fsType,
    flags: MS_REMOUNT | MountOptions.kernelFlags(options),
    data: "",
  })
  yield* check(mountPoint, "mount", result)
})
