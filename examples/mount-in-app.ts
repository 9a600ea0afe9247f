/** An application that mounts an archive from the web beside its other services: `node mount-in-app.ts URL MOUNTPOINT` */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Schedule } from "effect"
import { ArchiveReader, ByteSource, Mount } from "pxar-fuse"

const [url = "http://localhost:8080/backup.pxar", mountPoint = "/mnt"] = process.argv.slice(2)

/** Bytes that come from the web, as ranges. */
const WebSource = Layer.effect(
  ByteSource.ByteSource,
  Effect.gen(function* () {
    const fail = (offset: number) => (error: unknown) =>
      new ByteSource.SourceError({ source: url, offset, detail: String(error) })
    const head = yield* Effect.tryPromise({ try: () => fetch(url, { method: "HEAD" }), catch: fail(0) })
    return {
      name: url,
      size: Number(head.headers.get("content-length")),
      read: (target, offset) =>
        Effect.tryPromise({
          // Interrupted with the request of the kernel, as when someone types Ctrl-C in `cat`.
          try: async (signal) => {
            const range = `bytes=${offset}-${offset + target.length - 1}`
            const response = await fetch(url, { headers: { range }, signal })
            if (response.status !== 206) throw new Error(`status ${response.status}`)
            target.set(new Uint8Array(await response.arrayBuffer()))
          },
          catch: fail(offset),
        }).pipe(Effect.retry({ times: 3, schedule: Schedule.exponential("100 millis") })),
    } satisfies ByteSource.ByteSource
  }),
)

/** Another service of the application. */
const Heartbeat = Layer.effectDiscard(
  Effect.gen(function* () {
    const mounted = yield* Mount.Mount
    const beat = Effect.flatMap(mounted.held, (nodes) => Console.log(`the kernel holds ${nodes.length} nodes`))
    yield* Effect.forkScoped(Effect.repeat(beat, Schedule.spaced("10 seconds")))
  }),
)

const program = Effect.gen(function* () {
  const mounted = yield* Mount.Mount
  yield* Console.log(`${url} is on ${mounted.mountPoint}`)
  // Until it is unmounted from outside. Ctrl-C ends the program, which unmounts.
  yield* mounted.ended
  yield* Console.log("unmounted")
})

const Live = Heartbeat.pipe(
  Layer.provideMerge(Mount.layer({ mountPoint })),
  Layer.provide(ArchiveReader.layer),
  Layer.provide(WebSource),
)

NodeRuntime.runMain(Effect.provide(program, Live))
