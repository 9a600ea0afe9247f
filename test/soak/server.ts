/**
 * Serves the mount of a soak and tells what it holds. Started by `soak.ts`, with the IPC channel; arguments: the archive,
 * its payload archive, the mount point.
 *
 * Some reads of contents are slow, so that there is something to interrupt. It ends with its parent.
 */
import * as fs from "node:fs"
import * as v8 from "node:v8"
import * as vm from "node:vm"
import { Effect, Latch, Logger } from "effect"
import * as Mount from "../../src/fuse/Mount.ts"
import * as ArchiveReader from "../../src/services/archive/ArchiveReader.ts"
import type { ByteSource } from "../../src/services/bytes/ByteSource.ts"
import * as FileSource from "../../src/services/bytes/FileSource.ts"
import * as Random from "../support/Random.ts"

/** What the server holds, after a collection of garbage. */
export interface State {
  /** Nodes that the kernel holds. */
  readonly held: number
  readonly inFlight: number
  /** Requests since the beginning, and those that were interrupted in the source. */
  readonly requests: number
  readonly interrupted: number
  readonly descriptors: number
  /** Fibers that exist, running or not. */
  readonly fibers: number
  /** Bytes in use: heap and what is outside of it. */
  readonly memory: number
  /** Lines logged. */
  readonly log: ReadonlyArray<string>
}

v8.setFlagsFromString("--expose-gc")
const collect = vm.runInNewContext("gc") as () => void

const [archive = "", payload = "", mountPoint = ""] = process.argv.slice(2)
const random = Random.make(1)
let interrupted = 0

/** Half of the reads must wait, a quarter of those some thousand turns. */
const slowed = (source: ByteSource): ByteSource => ({
  ...source,
  read: (target, offset) => {
    if (random.once(2)) return source.read(target, offset)
    const read = Effect.suspend(() => source.read(target, offset))
    if (target.length <= 16 || !random.once(4)) return read
    const wait = Effect.repeat(Effect.yieldNow, { times: random.below(2000) })
    const counted = Effect.onInterrupt(wait, () => Effect.sync(() => void interrupted++))
    return Effect.andThen(counted, read)
  },
})

const log: Array<string> = []
const fiberClass = Effect.runFork(Effect.void).constructor as abstract new () => object

const state = (mounted: Mount.Mounted): Effect.Effect<State> =>
  Effect.gen(function* () {
    const counters = yield* mounted.counters
    const held = (yield* mounted.held).length
    const inFlight = yield* mounted.inFlight
    return yield* Effect.sync((): State => {
      collect()
      const { arrayBuffers, external, heapUsed } = process.memoryUsage()
      return {
        held,
        inFlight,
        requests: Object.values(counters.requests).reduce((sum, count) => sum + count, 0),
        interrupted,
        descriptors: fs.readdirSync("/proc/self/fd").length,
        fibers: Number(v8.queryObjects(fiberClass, { format: "count" })),
        memory: heapUsed + external + arrayBuffers,
        log,
      }
    })
  })

const program = Effect.gen(function* () {
  const source = slowed(yield* FileSource.open(payload))
  const reader = yield* ArchiveReader.make(yield* FileSource.open(archive), { _tag: "Present", source })
  const mounted = yield* Mount.mountTree(reader, { mountPoint })
  const end = Latch.makeUnsafe(false)
  const run = Effect.runForkWith(yield* Effect.context())
  process.on("disconnect", () => run(end.open))
  process.on("message", (message: "state" | "end") => {
    run(
      message === "end"
        ? end.open
        : Effect.flatMap(state(mounted), (state) => Effect.sync(() => void process.send?.(state))),
    )
  })
  yield* Effect.sync(() => void process.send?.("ready"))
  yield* end.await
}).pipe(Effect.scoped, Effect.provide(Logger.layer([Logger.make(({ message }) => void log.push(String(message)))])))

await Effect.runPromise(program)
process.removeAllListeners("message")
if (process.connected) process.disconnect()
