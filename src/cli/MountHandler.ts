/**
 * What `pxar-fuse mount` does (see `MountCommand`): serves, or has itself started again in the background, to serve there.
 */
import * as Effect from "effect/Effect"
import * as MountOptions from "../fuse/MountOptions.ts"
import * as Background from "./mount/Background.ts"
import type { Input } from "./MountCommand.ts"

export const handler = Effect.fn("mount")(function* ({ archive, foreground, rest, ...flags }: Input) {
  const settings = { ...flags, archives: [archive, ...rest.slice(0, -1)], mountPoint: rest.at(-1) ?? "" }
  const { parent } = Background
  if (!foreground && parent === undefined) {
    const passed = [settings.notifyFd, MountOptions.passedDescriptor(settings.mountPoint)]
    return yield* Background.start(passed.filter((descriptor) => descriptor !== undefined))
  }
  // The command that only starts another does not need it.
  const { serve } = yield* Effect.promise(() => import("./mount/Serve.ts"))
  yield* serve(settings, parent)
})
