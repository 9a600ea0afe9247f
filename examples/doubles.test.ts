/** Tests of an application without a mount, a kernel or a file: `node --test doubles.test.ts` */
import assert from "node:assert/strict"
import { test } from "node:test"
import { Effect, Fiber, Layer } from "effect"
import { ArchiveReader, ArchiveTree, Bridge, ByteSource, LookupRegistry, NodeId, Session } from "pxar-fuse"
import {
  KernelReply,
  KernelRequest,
  MemoryArchive,
  MemoryDevice,
  ScriptedKernel,
  UnreliableSource,
} from "pxar-fuse/Testing"

const tree = { etc: { hostname: MemoryArchive.file("pve\n", { mode: 0o600 }) }, link: MemoryArchive.symlink("etc") }
const archive = ArchiveReader.layer.pipe(Layer.provide(MemoryArchive.layer(tree)))

/** A session, with a kernel at its other end that the test plays. */
const kernel = Session.layer({ posixAcl: true }).pipe(
  Layer.provideMerge(ScriptedKernel.layer),
  Layer.provide(MemoryDevice.layer),
  Layer.provide(Bridge.layer),
  Layer.provide(LookupRegistry.layer),
)

test("without a kernel: a script plays it", () =>
  Effect.gen(function* () {
    const session = yield* Session.Session
    const { ask, unmount } = yield* ScriptedKernel.ScriptedKernel
    const serving = yield* Effect.forkChild(session.serve)
    const etc = KernelReply.parseEntry((yield* ask((id) => KernelRequest.lookup(id, 1, "etc"))).body)
    const listing = yield* ask((id) => KernelRequest.readdir(id, etc.node, 0, 4096))
    assert.ok(KernelReply.parseDirents(listing.body).some(({ name }) => name === "hostname"))
    const refused = yield* ask((id) => KernelRequest.readlink(id, etc.node))
    assert.equal(refused.errno, 22, "EINVAL: a folder is no link")
    yield* unmount
    yield* Fiber.join(serving)
    assert.deepEqual((yield* session.counters).requests, { LOOKUP: 1, READDIR: 1, READLINK: 1 })
  }).pipe(Effect.provide(kernel.pipe(Layer.provide(archive))), Effect.scoped, Effect.runPromise))

test("over a line that breaks: the application sees an I/O error", () => {
  const line = { isDown: false }
  const source = Layer.effect(
    ByteSource.ByteSource,
    Effect.map(MemoryArchive.bytes({ big: new Uint8Array(1_000_000) }), (bytes) =>
      UnreliableSource.make(ByteSource.fromBytes(bytes), {
        latency: "1 millis",
        fault: () => (line.isDown ? "the line is down" : undefined),
      }),
    ),
  )
  return Effect.gen(function* () {
    const session = yield* Session.Session
    const { ask } = yield* ScriptedKernel.ScriptedKernel
    yield* Effect.forkChild(session.serve)
    const { node } = KernelReply.parseEntry((yield* ask((id) => KernelRequest.lookup(id, 1, "big"))).body)
    line.isDown = true
    const { errno } = yield* ask((id) => KernelRequest.read(id, node, 500_000, 4096))
    assert.equal(errno, 5, "EIO")
  }).pipe(
    Effect.provide(kernel.pipe(Layer.provide(ArchiveReader.layer), Layer.provide(source))),
    Effect.scoped,
    Effect.runPromise,
  )
})

test("with a registry that records: a listing alone holds nothing", () => {
  const forgotten: Array<NodeId.NodeId> = []
  const Recording = Layer.effect(
    LookupRegistry.LookupRegistry,
    Effect.gen(function* () {
      const { root } = yield* ArchiveTree.ArchiveTree
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
    const names: Array<Uint8Array> = []
    yield* bridge.readdir(NodeId.ROOT, 0, ({ name }) => names.push(name) > 0)
    assert.ok(names.length > 2, "more than . and ..")
    assert.deepEqual(yield* registry.held, [NodeId.ROOT])
    yield* bridge.forget(NodeId.ROOT, 1)
    assert.deepEqual(forgotten, [NodeId.ROOT])
  }).pipe(Effect.provide(Bridge.layer.pipe(Layer.provideMerge(Recording), Layer.provide(archive))), Effect.runPromise)
})
