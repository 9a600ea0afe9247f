import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import type { node } from "koffi"
import { vi } from "vitest"
import type { FuseDevice } from "../../../src/fuse/session/FuseDevice.ts"
import * as KernelDevice from "../../../src/fuse/session/KernelDevice.ts"
import * as Session from "../../../src/fuse/session/Session.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as Libc from "../../../src/services/posix/Libc.ts"
import * as Wire from "../../support/Wire.ts"
import * as H from "../harness.ts"

/** The one that the device asks: another copy of it would be asked nothing. */
const koffi = Libc.koffi()
const libc = koffi.load(null)
const socketpair = libc.func("int socketpair(int, int, int, _Out_ int *)")
const eventfd = libc.func("int eventfd(unsigned int, int)")
const pipe2 = libc.func("int pipe2(_Out_ int *, int)")

type Poll = (fd: number, options: object, callback: (event: unknown) => void) => node.PollHandle

const AF_UNIX = 1
const SOCK_SEQPACKET = 5
const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000
const NONBLOCKING = O_NONBLOCK | O_CLOEXEC

/** Descriptors from a call that fills in two of them, closed with the scope unless they are closed before. */
const pair = (call: (fds: Array<number>) => number) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const fds = [0, 0]
        assert.strictEqual(call(fds), 0)
        const open = new Set(fds)
        const close = (fd: number): void => {
          if (open.delete(fd)) fs.closeSync(fd)
        }
        return { fds: fds as [number, number], close }
      }),
      ({ close, fds }) => Effect.sync(() => fds.forEach(close)),
    ),
    ({ close, fds: [ours, peer] }) => ({ ours, peer, close }),
  )

/** Both ends of a socket that keeps the boundaries of messages, as `/dev/fuse` does; both non-blocking. */
const socket = pair((fds) => socketpair(AF_UNIX, SOCK_SEQPACKET | NONBLOCKING, 0, fds))
const pipe = pair((fds) => pipe2(fds, NONBLOCKING))

const write = (fd: number, message: Uint8Array): void => {
  assert.strictEqual(fs.writeSync(fd, message), message.length)
}

const read = (fd: number): Buffer => {
  const bytes = Buffer.alloc(65_536)
  return bytes.subarray(0, fs.readSync(fd, bytes))
}

const receive = (device: FuseDevice) => Effect.map(device.receive, (bytes) => Buffer.from(bytes).toString())

/** A turn of the event loop: whatever is ready calls back. */
const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
const turns = Effect.andThen(turn, Effect.repeat(turn, { times: 20 }))

describe("receive", () => {
  it.live("gives one message a time, in order, though many are there", () =>
    Effect.gen(function* () {
      const { ours, peer } = yield* socket
      const device = yield* KernelDevice.make(ours)
      for (const text of ["one", "second", "3"]) write(peer, Buffer.from(text))
      assert.strictEqual(yield* receive(device), "one")
      assert.strictEqual(yield* receive(device), "second")
      assert.strictEqual(yield* receive(device), "3")
    }),
  )

  it.live("waits until there is a message, again and again", () =>
    Effect.gen(function* () {
      const { ours, peer } = yield* socket
      const device = yield* KernelDevice.make(ours)
      for (const text of ["one", "two", "three"]) {
        const waiting = yield* Effect.forkChild(receive(device), { startImmediately: true })
        yield* turns
        assert.isUndefined(waiting.pollUnsafe())
        write(peer, Buffer.from(text))
        assert.strictEqual(yield* Fiber.join(waiting), text)
      }
    }),
  )

  it.live("takes a message of 64 KiB in one piece", () =>
    Effect.gen(function* () {
      const { ours, peer } = yield* socket
      const device = yield* KernelDevice.make(ours)
      write(peer, Buffer.alloc(65_536, 0x61))
      assert.strictEqual((yield* device.receive).length, 65_536)
    }),
  )

  it.live("can be interrupted while it waits, and loses no message by that", () =>
    Effect.gen(function* () {
      const { ours, peer } = yield* socket
      const device = yield* KernelDevice.make(ours)
      const waiting = yield* Effect.forkChild(receive(device), { startImmediately: true })
      yield* turns
      yield* Fiber.interrupt(waiting)
      write(peer, Buffer.from("one"))
      yield* turns
      assert.strictEqual(yield* receive(device), "one")
      const again = yield* Effect.forkChild(receive(device), { startImmediately: true })
      yield* turns
      write(peer, Buffer.from("two"))
      assert.strictEqual(yield* Fiber.join(again), "two")
    }),
  )

  it.live("is not told again and again of a message that nobody takes", () =>
    Effect.gen(function* () {
      const { ours, peer } = yield* socket
      const poll = koffi.node.poll as Poll
      const told: Array<number> = []
      const counting: Poll = (fd, options, callback) =>
        poll(fd, options, (event) => {
          told.push(fd)
          callback(event)
        })
      const spy = vi.spyOn(koffi.node as { poll: Poll }, "poll").mockImplementation(counting)
      yield* Effect.addFinalizer(() => Effect.sync(() => spy.mockRestore()))
      const device = yield* KernelDevice.make(ours)
      const waiting = yield* Effect.forkChild(receive(device), { startImmediately: true })
      yield* turns
      yield* Fiber.interrupt(waiting)
      write(peer, Buffer.from("one"))
      while (told.length === 0) yield* turn
      const before = told.length
      yield* turns
      assert.strictEqual(told.length, before)
      assert.strictEqual(yield* receive(device), "one")
    }),
  )

  it.live("is not told of anything while it does not wait", () =>
    Effect.gen(function* () {
      const { ours, peer } = yield* socket
      const spy = vi.spyOn(koffi.node, "poll")
      yield* Effect.addFinalizer(() => Effect.sync(() => spy.mockRestore()))
      const device = yield* KernelDevice.make(ours)
      write(peer, Buffer.from("one"))
      yield* turns
      assert.strictEqual(yield* receive(device), "one")
      assert.strictEqual(spy.mock.calls.length, 0)
    }),
  )

  it.live("gives an empty message at the end of a stream", () =>
    Effect.gen(function* () {
      const { close, ours, peer } = yield* socket
      const device = yield* KernelDevice.make(ours)
      const waiting = yield* Effect.forkChild(device.receive, { startImmediately: true })
      yield* turns
      close(peer)
      assert.strictEqual((yield* Fiber.join(waiting)).length, 0)
    }),
  )

  it.live("of a descriptor that is not open is a lost device", () =>
    Effect.gen(function* () {
      const device = yield* KernelDevice.make(0x7fff_fff0)
      assert.deepInclude(yield* Effect.flip(device.receive), { _tag: "DeviceLost", operation: "read", errno: 9 })
    }),
  )

  it.live("of a descriptor that cannot be read is a lost device", () =>
    Effect.gen(function* () {
      const { peer } = yield* pipe
      const device = yield* KernelDevice.make(peer)
      assert.deepInclude(yield* Effect.flip(device.receive), { operation: "read", errno: 9 })
    }),
  )
})

describe("reply", () => {
  it.live("is one message, all of it", () =>
    Effect.gen(function* () {
      const { ours, peer } = yield* socket
      const device = yield* KernelDevice.make(ours)
      assert.strictEqual(yield* device.reply(Buffer.from("one")), "delivered")
      assert.strictEqual(yield* device.reply(Buffer.from("second")), "delivered")
      assert.strictEqual(read(peer).toString(), "one")
      assert.strictEqual(read(peer).toString(), "second")
    }),
  )

  it.live("is the bytes of a view, not of the memory behind it", () =>
    Effect.gen(function* () {
      const { ours, peer } = yield* socket
      const device = yield* KernelDevice.make(ours)
      const memory = Uint8Array.from(Buffer.from("0123456789"))
      yield* device.reply(memory.subarray(3, 7))
      assert.strictEqual(read(peer).toString(), "3456")
      yield* device.reply(memory.subarray(0, 2))
      assert.strictEqual(read(peer).toString(), "01")
    }),
  )

  it.live("of 1 MiB is taken in one piece", () =>
    Effect.gen(function* () {
      const fd = fs.openSync("/dev/null", "w")
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.closeSync(fd)))
      const device = yield* KernelDevice.make(fd)
      assert.strictEqual(yield* device.reply(new Uint8Array(16 + 1024 * 1024)), "delivered")
    }),
  )

  it.live("that was taken in part only is a lost device", () =>
    Effect.gen(function* () {
      const { peer } = yield* pipe
      // A pipe has 16 pages; one is left.
      write(peer, Buffer.alloc(15 * 4096))
      const device = yield* KernelDevice.make(peer)
      assert.deepInclude(yield* Effect.flip(device.reply(Buffer.alloc(8192))), {
        _tag: "DeviceLost",
        operation: "write",
        errno: 0,
        detail: "only 4096 of 8192 bytes were taken",
      })
    }),
  )

  it.live("that is malformed is refused", () =>
    Effect.gen(function* () {
      const fd = eventfd(0, NONBLOCKING) as number
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.closeSync(fd)))
      const device = yield* KernelDevice.make(fd)
      assert.strictEqual(yield* device.reply(Buffer.alloc(8)), "delivered")
      // An event counter takes 8 bytes: EINVAL.
      assert.strictEqual(yield* device.reply(Buffer.alloc(4)), "refused")
    }),
  )

  it.live("over a connection that is gone is a lost device", () =>
    Effect.gen(function* () {
      const { close, ours, peer } = yield* socket
      const device = yield* KernelDevice.make(ours)
      close(peer)
      assert.deepInclude(yield* Effect.flip(device.reply(Buffer.from("x"))), { operation: "write", errno: 32 })
      const closed = yield* KernelDevice.make(0x7fff_fff0)
      assert.deepInclude(yield* Effect.flip(closed.reply(Buffer.from("x"))), { operation: "write", errno: 9 })
    }),
  )
})

describe("the end of a device", () => {
  it.live("comes while a receive is waiting, without harm", () =>
    Effect.gen(function* () {
      const { close, ours, peer } = yield* socket
      const scope = yield* Scope.make()
      const device = yield* Scope.provide(KernelDevice.make(ours), scope)
      const waiting = yield* Effect.forkChild(receive(device), { startImmediately: true })
      yield* turns
      yield* Fiber.interrupt(waiting)
      yield* Scope.close(scope, Exit.void)
      write(peer, Buffer.from("late"))
      close(ours)
      yield* turns
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(waiting)))
    }),
  )

  it.live("comes from inside the callback that a message is there", () =>
    Effect.gen(function* () {
      const { ours, peer } = yield* socket
      const scope = yield* Scope.make()
      const device = yield* Scope.provide(KernelDevice.make(ours), scope)
      const ending = yield* Effect.forkChild(Effect.andThen(receive(device), Scope.close(scope, Exit.void)), {
        startImmediately: true,
      })
      yield* turns
      write(peer, Buffer.from("one"))
      yield* Fiber.join(ending)
      yield* turns
    }),
  )

  it.live("does not disturb the next device, whose descriptor may have the same number", () =>
    Effect.gen(function* () {
      const first = yield* socket
      const scope = yield* Scope.make()
      const device = yield* Scope.provide(KernelDevice.make(first.ours), scope)
      const waiting = yield* Effect.forkChild(receive(device), { startImmediately: true })
      yield* turns
      yield* Fiber.interrupt(waiting)
      yield* Scope.close(scope, Exit.void)
      first.close(first.ours)
      const next = yield* socket
      assert.strictEqual(next.ours, first.ours, "the same number")
      const again = yield* Effect.forkChild(receive(yield* KernelDevice.make(next.ours)), { startImmediately: true })
      yield* turns
      write(next.peer, Buffer.from("one"))
      yield* turns
      assert.deepStrictEqual(again.pollUnsafe(), Exit.succeed("one"))
    }),
  )
})

describe("a session over a descriptor", () => {
  it.live("answers as over a memory device, and ends with the connection", () =>
    Effect.gen(function* () {
      const { close, ours, peer } = yield* socket
      const { bridge, registry } = yield* H.bridgeOver({ source: fromBytes(H.helloBytes()) })
      const device = yield* KernelDevice.make(ours)
      const session = yield* Session.make(device, bridge, { posixAcl: true })
      const serving = yield* Effect.forkChild(session.serve, { startImmediately: true })
      const answer = Effect.gen(function* () {
        for (;;) {
          const bytes = yield* Effect.try({ try: () => read(peer), catch: () => "none yet" as const }).pipe(
            Effect.option,
          )
          if (bytes._tag === "Some") return bytes.value
          yield* turn
        }
      })
      write(peer, Wire.lookup(2, 1, "hello"))
      write(peer, Wire.read(4, H.HELLO, 0, 4096))
      Wire.assertBytes(yield* answer, Wire.reply(2, 0, Wire.entryOut(H.helloAttr)))
      Wire.assertBytes(yield* answer, Wire.reply(4, 0, Buffer.from("hi\n")))
      assert.strictEqual(yield* registry.count(H.HELLO_ID), 1)
      close(peer)
      assert.deepInclude(yield* Effect.flip(Fiber.join(serving)), {
        _tag: "DeviceLost",
        detail: "message of 0 bytes from the kernel",
      })
    }),
  )
})
