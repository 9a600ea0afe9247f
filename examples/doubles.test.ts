/** Tests of an application without a mount: the device and the registry are replaced. `ARCHIVE=… node --test doubles.test.ts` */
import assert from "node:assert/strict"
import { test } from "node:test"
import { Effect, Fiber, Layer } from "effect"
import { ArchiveReader, Bridge, FileSource, LookupRegistry, MemoryDevice, NodeId, Session } from "pxar-fuse"

const archive = ArchiveReader.layer.pipe(Layer.provide(FileSource.layer(process.env["ARCHIVE"] ?? "backup.pxar")))

test("without a kernel: a script plays it", () =>
  Effect.gen(function* () {
    const device = yield* MemoryDevice.MemoryDevice
    const session = yield* Session.Session
    const serving = yield* Effect.forkChild(session.serve)
    // struct fuse_in_header: length, opcode (STATFS), number of the request, node.
    const statfs = new DataView(new ArrayBuffer(40))
    statfs.setUint32(0, 40, true)
    statfs.setUint32(4, 17, true)
    statfs.setBigUint64(8, 2n, true)
    statfs.setBigUint64(16, NodeId.toBigInt(NodeId.ROOT), true)
    yield* device.send(new Uint8Array(statfs.buffer))
    const reply = new DataView((yield* device.nextReply).buffer)
    assert.equal(reply.getInt32(4, true), 0, "no errno")
    assert.equal(reply.getBigUint64(8, true), 2n, "the request's number")
    yield* device.unmount
    yield* Fiber.join(serving)
    assert.deepEqual((yield* session.counters).requests, { STATFS: 1 })
  }).pipe(
    Effect.provide(
      Session.layer({ posixAcl: true }).pipe(
        Layer.provideMerge(MemoryDevice.layer),
        Layer.provide(Bridge.layer),
        Layer.provide(LookupRegistry.layer),
        Layer.provide(archive),
      ),
    ),
    Effect.runPromise,
  ))

test("with a registry that records: a listing alone holds nothing", () => {
  const forgotten: Array<NodeId.NodeId> = []
  const Recording = Layer.effect(
    LookupRegistry.LookupRegistry,
    Effect.gen(function* () {
      const { root } = yield* ArchiveReader.ArchiveReader
      const registry = yield* LookupRegistry.make(root)
      return {
        ...registry,
        forget: (id, count) => Effect.suspend(() => (forgotten.push(id), registry.forget(id, count))),
      }
    }),
  )
  return Effect.gen(function* () {
    const bridge = yield* Bridge.Bridge
    const registry = yield* LookupRegistry.LookupRegistry
    const ids: Array<NodeId.NodeId> = []
    yield* bridge.readdir(NodeId.ROOT, 0, ({ id }) => ids.push(id) > 0)
    assert.ok(ids.length > 2, "more than . and ..")
    assert.deepEqual(yield* registry.held, [NodeId.ROOT])
    yield* bridge.forget(NodeId.ROOT, 1)
    assert.deepEqual(forgotten, [NodeId.ROOT])
  }).pipe(Effect.provide(Bridge.layer.pipe(Layer.provideMerge(Recording), Layer.provide(archive))), Effect.runPromise)
})
