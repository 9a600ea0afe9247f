/**
 * What `pxar-fuse mount` does (see `MountCommand`): serves, or starts the process that does.
 */
import * as Effect from "effect/Effect"
import * as FuseMount from "../fuse/FuseMount.ts"
import * as Background from "./mount/Background.ts"
import * as Serve from "./mount/Serve.ts"
import type { Input } from "./MountCommand.ts"

export const handler = Effect.fn("mount")(function* ({ foreground, ...settings }: Input) {
  const { parent } = Background
  if (foreground || parent !== undefined) return yield* Serve.serve(settings, parent)
  yield* Background.start(descriptors(settings))
})

/** Descriptors that the process which serves must inherit. */
const descriptors = ({ mountPoint, notifyFd }: Pick<Input, "mountPoint" | "notifyFd">): ReadonlyArray<number> =>
  [FuseMount.passedDescriptor(mountPoint), notifyFd].filter((descriptor) => descriptor !== undefined)
