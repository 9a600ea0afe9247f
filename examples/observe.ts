/** Mounts an archive and tells what the kernel asks: `node observe.ts ARCHIVE MOUNTPOINT` */
import { getSystemErrorName } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Duration, Effect, type Exit, Stream, Tracer } from "effect"
import { Mount, type Observer, PathText } from "pxar-fuse"

const [path = "backup.pxar", mountPoint = "/mnt"] = process.argv.slice(2)

/** `LOOKUP /etc/fstab: ok, 128 bytes in 97 µs` */
const report = Effect.fnUntraced(function* (event: Observer.RequestEvent) {
  const result = event.errno === 0 ? "ok" : getSystemErrorName(-event.errno)
  const path = PathText.print(yield* event.path)
  yield* Console.log(`${event.operation} ${path}: ${result}, ${event.bytes} bytes in ${Math.round(event.micros)} µs`)
})

/** In place of one that exports: keeps the slowest span of each name. */
const slowest = new Map<string, Duration.Duration>()
class Span extends Tracer.NativeSpan {
  override end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    super.end(endTime, exit)
    const took = Duration.nanos(endTime - this.startTime)
    slowest.set(this.name, Duration.max(took, slowest.get(this.name) ?? Duration.zero))
  }
}
const tracer = Tracer.make({ span: (options) => new Span(options) })

const program = Effect.gen(function* () {
  const mounted = yield* Mount.Mount
  yield* Console.log(`mounted on ${mounted.mountPoint}`)
  // Ends when the file system is unmounted.
  yield* Stream.runForEach(mounted.events, report)
  yield* mounted.ended
  const { delivered, errors, requests } = yield* mounted.counters
  yield* Console.log(`${delivered} replies, ${errors} of them errors, to ${JSON.stringify(requests)}`)
  for (const [name, took] of slowest) yield* Console.log(`slowest ${name}: ${Duration.format(took)}`)
})

const MountLive = Mount.layerFile(path, { mountPoint, spans: true })

NodeRuntime.runMain(program.pipe(Effect.provide(MountLive), Effect.provideService(Tracer.Tracer, tracer)))
