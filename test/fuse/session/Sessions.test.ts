/** Ten sessions in one program, each over an archive and a device of its own, made from the layers that embedders use. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Scope } from "effect"
import * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import { DeviceLost } from "../../../src/fuse/session/FuseDevice.ts"
import * as MemoryDevice from "../../../src/fuse/session/MemoryDevice.ts"
import * as Session from "../../../src/fuse/session/Session.ts"
import * as ArchiveReader from "../../../src/services/archive/ArchiveReader.ts"
import * as ByteSource from "../../../src/services/bytes/ByteSource.ts"
import * as LookupRegistry from "../../../src/services/LookupRegistry.ts"
import * as Golden from "../../support/Golden.ts"
import * as Wire from "../../support/Wire.ts"
import * as H from "../harness.ts"

const ROOM = 64 * 1024

/** A session that is served. Those with the same memo map are parts of one application. */
const start = Effect.fnUntraced(function* (golden: Golden.Golden, memoMap: Layer.MemoMap) {
  const source = H.gated(Golden.load(golden).bytes, golden.name)
  const layer = Session.layer({ posixAcl: true }).pipe(
    Layer.provideMerge(Layer.fresh(MemoryDevice.layer)),
    Layer.provide(Layer.fresh(Bridge.layer)),
    Layer.provideMerge(Layer.fresh(LookupRegistry.layer)),
    Layer.provide(ArchiveReader.layerWith(H.uncached)),
    Layer.provide(Layer.succeed(ByteSource.ByteSource, source)),
  )
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const services = yield* Layer.buildWithMemoMap(layer, memoMap, scope)
  const device = Context.get(services, MemoryDevice.MemoryDevice)
  const session = Context.get(services, Session.Session)
  const registry = Context.get(services, LookupRegistry.LookupRegistry)
  const serving = yield* Effect.forkIn(session.serve, scope, { startImmediately: true })
  let unique = 0
  const ask = (make: (unique: number) => Uint8Array) =>
    Effect.suspend(() => Effect.andThen(device.send(make((unique += 2))), device.nextReply))
  return {
    source,
    device,
    session,
    registry,
    serving,
    close: Scope.close(scope, Exit.void),
    /** Fails unless the listing of the root is that of the archive. */
    works: Effect.gen(function* () {
      const { body } = Wire.parseReply(yield* ask((unique) => Wire.readdirplus(unique, 1, 0, ROOM)))
      const names = Wire.parseDirents(body, true).map(({ name }) => name)
      const expected = golden
        .view()
        .map(({ path }) => path.toString("latin1"))
        .filter((path) => path !== "/" && path.lastIndexOf("/") === 0)
        .map((path) => path.slice(1))
      assert.sameMembers(names, [...expected, ".", ".."], golden.name)
    }),
  }
})

it.effect("sessions of one program start, work and end on their own; what breaks one does not touch the others", () =>
  Effect.gen(function* () {
    const memoMap = yield* Layer.makeMemoMap
    const all = yield* Effect.forEach(Golden.all.slice(0, 10), (golden) => start(golden, memoMap))
    const [overforgets, loses, unmounted, closed, closedBusy, ...others] = all
    assert.lengthOf(others, 5)
    for (const { works } of all) yield* works

    yield* overforgets!.device.send(Wire.forget(1001, yield* someChild(overforgets!), 1000))
    const overforgot = yield* Effect.flip(Fiber.join(overforgets!.serving))
    assert.strictEqual(overforgot._tag, "Overforget")
    yield* loses!.device.lose(new DeviceLost({ operation: "read", errno: 5, detail: "injected" }))
    assert.strictEqual((yield* Effect.flip(Fiber.join(loses!.serving)))._tag, "DeviceLost")
    yield* unmounted!.device.unmount
    yield* Fiber.join(unmounted!.serving)
    yield* closed!.close
    yield* closedBusy!.source.hold(0, closedBusy!.source.size)
    yield* closedBusy!.device.send(Wire.readdirplus(2001, 1, 0, ROOM))
    yield* closedBusy!.source.reached
    yield* closedBusy!.close
    assert.isAbove(closedBusy!.source.interrupted.length, 0)

    for (const { registry, works } of others) {
      yield* works
      assert.isAbove((yield* registry.held).length, 1)
    }
    yield* Effect.forEach(all, ({ close }) => close)
    for (const { registry, session } of all) {
      assert.deepStrictEqual(yield* registry.held, [])
      assert.strictEqual(yield* session.inFlight, 0)
    }
  }),
)

/** The number of a node that the kernel holds. */
const someChild = ({ registry }: Effect.Success<ReturnType<typeof start>>) =>
  Effect.map(registry.held, (held) => held.find((id) => id !== 1)!)
