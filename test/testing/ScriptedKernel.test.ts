import { assert, describe, it } from "@effect/vitest"
import { Cause, type Duration, Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { ArchiveReader, Bridge, ByteSource, LookupRegistry, Session } from "pxar-fuse"
import {
  KernelReply,
  KernelRequest,
  MemoryArchive,
  MemoryDevice,
  ScriptedKernel,
  UnreliableSource,
} from "pxar-fuse/Testing"

const tree = { etc: { hostname: "pve\n" }, "big.bin": new Uint8Array(100_000).fill(7) }

/** A session about the archive, with the kernel at its other end. */
const kernel = (options: UnreliableSource.Options = {}) => {
  const source = Layer.effect(
    ByteSource.ByteSource,
    Effect.map(MemoryArchive.bytes(tree), (bytes) => UnreliableSource.make(ByteSource.fromBytes(bytes), options)),
  )
  return Session.layer({ posixAcl: true }).pipe(
    Layer.provideMerge(ScriptedKernel.layer),
    Layer.provideMerge(MemoryDevice.layer),
    Layer.provide(Bridge.layer),
    Layer.provide(LookupRegistry.layer),
    Layer.provide(ArchiveReader.layer),
    Layer.provide(source),
  )
}

/** Serves while the script runs. */
const serve = Effect.gen(function* () {
  const session = yield* Session.Session
  return yield* Effect.forkChild(session.serve, { startImmediately: true })
})

describe("a scripted kernel", () => {
  it.effect("finds a file by name and reads it", () =>
    Effect.gen(function* () {
      const serving = yield* serve
      const kernel = yield* ScriptedKernel.ScriptedKernel
      const etc = KernelReply.parseEntry((yield* kernel.ask((id) => KernelRequest.lookup(id, 1, "etc"))).body)
      assert.strictEqual(etc.attributes.mode, 0o40755)
      const list = yield* kernel.ask((id) => KernelRequest.readdirplus(id, etc.node, 0, 4096))
      const entry = KernelReply.parseDirents(list.body, true).find(({ name }) => name === "hostname")
      assert.isDefined(entry)
      const { body } = yield* kernel.ask((id) => KernelRequest.read(id, entry.node, 0, 4096))
      assert.strictEqual(body.toString(), "pve\n")
      const absent = yield* kernel.ask((id) => KernelRequest.readlink(id, entry.node))
      assert.strictEqual(absent.errno, 22)
      const attributes = yield* kernel.ask((id) => KernelRequest.getattr(id, entry.node))
      assert.deepInclude(KernelReply.parseAttributes(attributes.body), { size: 4n, mode: 0o100644, nlink: 1 })
      yield* kernel.tell((id) => KernelRequest.batchForget(id, [etc.node, 1], [entry.node, 1]))
      yield* kernel.unmount
      yield* Fiber.join(serving)
    }).pipe(Effect.provide(kernel())),
  )

  it.effect("interrupts a read that waits for a slow source", () => {
    const line = { latency: "0 seconds" as Duration.Input }
    return Effect.gen(function* () {
      yield* serve
      const kernel = yield* ScriptedKernel.ScriptedKernel
      const { body } = yield* kernel.ask((id) => KernelRequest.lookup(id, 1, "big.bin"))
      line.latency = "1 hour"
      const asked = yield* kernel.start((id) => KernelRequest.read(id, KernelReply.parseEntry(body).node, 0, 4096))
      yield* kernel.interrupt(asked)
      assert.strictEqual((yield* asked.reply).errno, 4)
    }).pipe(Effect.provide(kernel({ latency: () => line.latency })))
  })

  it.effect("is answered EIO where the source fails, as soon as it has failed", () => {
    const line = { isDown: false }
    const options: UnreliableSource.Options = {
      latency: () => (line.isDown ? "10 seconds" : 0),
      fault: () => (line.isDown ? "the line is down" : undefined),
    }
    return Effect.gen(function* () {
      yield* serve
      const kernel = yield* ScriptedKernel.ScriptedKernel
      const { body } = yield* kernel.ask((id) => KernelRequest.lookup(id, 1, "big.bin"))
      line.isDown = true
      const asked = yield* kernel.start((id) => KernelRequest.read(id, KernelReply.parseEntry(body).node, 0, 4096))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* asked.reply).errno, 5)
    }).pipe(Effect.provide(kernel(options)))
  })

  it.effect("tells of a reply that nobody waits for", () =>
    Effect.gen(function* () {
      const device = yield* MemoryDevice.make
      const kernel = yield* ScriptedKernel.make(device)
      yield* device.reply(Buffer.from("10000000000000000800000000000000", "hex"))
      const exit = yield* Effect.exit(kernel.ask((id) => KernelRequest.statfs(id)))
      assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("a reply to request 8"))
    }),
  )
})
