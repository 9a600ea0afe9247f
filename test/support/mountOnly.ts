/**
 * Mounts and serves nothing: `node mountOnly.ts MOUNTPOINT [OPTIONS]`, for tests that need another user or process.
 *
 * Prints one JSON line, the mount or the error. When stdin ends it unmounts and prints one more: `{ unmounted, lazy, log }`.
 */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import * as FuseMount from "../../src/fuse/mount/FuseMount.ts"
import * as MountOptions from "../../src/fuse/mount/MountOptions.ts"

const [mountPoint = "", options = ""] = process.argv.slice(2)

const print = (value: unknown) => Effect.sync(() => process.stdout.write(`${JSON.stringify(value)}\n`))

const stdinEnd = Effect.callback<void>((resume) => {
  process.stdin.resume().on("end", () => resume(Effect.void))
})

const log: Array<string> = []

const program = Effect.gen(function* () {
  const lazy: Array<string> = []
  const mount = yield* FuseMount.mount({
    mountPoint,
    fsname: "/srv/an archive,with\\all#.pxar",
    options: Result.getOrThrow(MountOptions.parse([options])),
    onLazyUnmount: (detail) => Effect.sync(() => void lazy.push(detail)),
  })
  const { descriptor, how, device } = mount
  yield* print({ descriptor, mountPoint: mount.mountPoint, how, device })
  yield* stdinEnd
  yield* print({ unmounted: yield* FuseMount.unmount(mount), lazy, log })
}).pipe(
  Effect.catchTag("MountError", (error) => print({ reason: error.reason, message: error.message })),
  Effect.scoped,
  Effect.provide(Logger.layer([Logger.make(({ message }) => void log.push(String(message)))])),
)

await Effect.runPromise(program)
process.stdin.destroy()
