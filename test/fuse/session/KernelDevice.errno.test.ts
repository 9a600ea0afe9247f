/** The device over a C library that does what a test says: results of `read` and `write` that only a mount gives. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, References } from "effect"
import { vi } from "vitest"
import type { DeviceLost } from "../../../src/fuse/session/FuseDevice.ts"
import * as KernelDevice from "../../../src/fuse/session/KernelDevice.ts"
import * as Session from "../../../src/fuse/session/Session.ts"
import { fromBytes } from "../../../src/services/bytes/ByteSource.ts"
import * as Wire from "../../support/Wire.ts"
import * as H from "../harness.ts"

const EINTR = 4
const ENOENT = 2
const EIO = 5
const EPERM = 1
const EAGAIN = 11
const ENODEV = 19
const EINVAL = 22
const ECONNABORTED = 103

const script = vi.hoisted(() => {
  const state = {
    /** Results of `read`: a message, or a negative errno; nothing left is EAGAIN. */
    reads: [] as Array<Uint8Array | number>,
    /** Results of `write`; nothing left takes all. */
    writes: [] as Array<number>,
    written: [] as Array<Uint8Array>,
    /** What the kernel does when a message is written, before the call returns. */
    onWrite: (() => {}) as (bytes: Uint8Array) => void,
    watching: undefined as (() => void) | undefined,
    reset: (): void => {
      state.reads = []
      state.writes = []
      state.written = []
      state.onWrite = () => {}
      state.watching = undefined
    },
    /** Whoever waits is told, once a turn of the event loop, while there is something to read. */
    tell: (): void => {
      setImmediate(() => {
        if (state.reads.length === 0 || state.watching === undefined) return
        state.watching()
        state.tell()
      })
    },
    push: (...results: ReadonlyArray<Uint8Array | number>): void => {
      state.reads.push(...results)
      state.tell()
    },
  }
  return state
})

vi.mock("../../../src/fuse/session/DeviceSyscalls.ts", () => ({
  read: (_: number, target: Uint8Array): number => {
    const result = script.reads.shift()
    if (result === undefined) return -11
    if (typeof result === "number") return result
    target.set(result)
    return result.length
  },
  write: (_: number, bytes: Uint8Array): number => {
    script.written.push(bytes.slice())
    script.onWrite(bytes)
    return script.writes.shift() ?? bytes.length
  },
  watch: () => ({
    start: (onReadable: () => void) => {
      script.watching = onReadable
      script.tell()
    },
    stop: () => {
      script.watching = undefined
    },
    close: (done?: () => void) => {
      script.watching = undefined
      done?.()
    },
  }),
}))

beforeEach(() => script.reset())

const message = Buffer.from("message")

describe("receive", () => {
  it.live.each([
    ["EINTR", EINTR],
    ["ENOENT, a request that was interrupted before it could be read", ENOENT],
  ] as const)("reads again after %s", ([, errno]) =>
    Effect.gen(function* () {
      const device = yield* KernelDevice.make(3)
      script.reads.push(-errno, -errno, message)
      assert.strictEqual(Buffer.from(yield* device.receive).toString(), "message")
    }),
  )

  it.live("waits after EAGAIN, also when it was told for nothing", () =>
    Effect.gen(function* () {
      const device = yield* KernelDevice.make(3)
      const waiting = yield* Effect.forkChild(device.receive, { startImmediately: true })
      assert.isDefined(script.watching)
      script.push(-EAGAIN, -EAGAIN, -EINTR, message)
      assert.strictEqual(Buffer.from(yield* Fiber.join(waiting)).toString(), "message")
    }),
  )

  it.live.each([
    ["ENODEV: unmounted", ENODEV],
    ["ECONNABORTED: aborted", ECONNABORTED],
  ] as const)("is done after %s", ([, errno]) =>
    Effect.gen(function* () {
      const device = yield* KernelDevice.make(3)
      script.reads.push(-errno)
      assert.deepStrictEqual(yield* Effect.flip(device.receive), Cause.Done())
    }),
  )

  it.live.each([EPERM, EIO, EINVAL] as const)("is lost after errno %i", (errno) =>
    Effect.gen(function* () {
      const device = yield* KernelDevice.make(3)
      script.reads.push(-errno)
      assert.deepInclude(yield* Effect.flip(device.receive), { _tag: "DeviceLost", operation: "read", errno })
    }),
  )
})

describe("reply", () => {
  const reply = Effect.flatMap(KernelDevice.make(3), (device) => device.reply(message))

  it.live("writes again after EINTR", () =>
    Effect.gen(function* () {
      script.writes.push(-EINTR, -EINTR)
      assert.strictEqual(yield* reply, "delivered")
      assert.deepStrictEqual(
        script.written.map((bytes) => Buffer.from(bytes).toString()),
        ["message", "message", "message"],
      )
    }),
  )

  it.live.each([
    ["ENOENT: the request was interrupted", ENOENT],
    ["ENODEV: unmounted", ENODEV],
    ["ECONNABORTED: aborted", ECONNABORTED],
  ] as const)("is abandoned after %s", ([, errno]) =>
    Effect.gen(function* () {
      script.writes.push(-errno)
      assert.strictEqual(yield* reply, "abandoned")
      assert.strictEqual(script.written.length, 1)
    }),
  )

  it.live("is refused after EINVAL: malformed", () =>
    Effect.gen(function* () {
      script.writes.push(-EINVAL)
      assert.strictEqual(yield* reply, "refused")
    }),
  )

  it.live.each([EPERM, EIO, EAGAIN] as const)("is lost after errno %i", (errno) =>
    Effect.gen(function* () {
      script.writes.push(-errno)
      assert.deepInclude(yield* Effect.flip(reply), { _tag: "DeviceLost", operation: "write", errno })
    }),
  )

  it.live.each([0, 1, 6] as const)("is lost when %i of 7 bytes were taken", (count) =>
    Effect.gen(function* () {
      script.writes.push(count)
      const error: DeviceLost = yield* Effect.flip(reply)
      assert.deepInclude(error, { operation: "write", errno: 0, detail: `only ${count} of 7 bytes were taken` })
      assert.match(error.message, /^the connection to the kernel broke: only \d of 7 bytes were taken/)
    }),
  )
})

describe("a session over the device", () => {
  const serve = Effect.gen(function* () {
    const { bridge, registry } = yield* H.bridgeOver({ source: fromBytes(H.helloBytes()) })
    const session = yield* Session.make(yield* KernelDevice.make(3), bridge, { posixAcl: true })
    return { registry, session, serving: yield* Effect.forkChild(session.serve, { startImmediately: true }) }
  })

  it.live.each([ENODEV, ECONNABORTED] as const)("ends well with errno %i", (errno) =>
    Effect.gen(function* () {
      const { serving } = yield* serve
      script.push(Wire.getattr(2, 1), -errno)
      yield* Fiber.join(serving)
      assert.strictEqual(script.written.length, 1)
    }),
  )

  it.live("ends well when it is unmounted between request and reply, and counts nothing", () =>
    Effect.gen(function* () {
      const { registry, serving } = yield* serve
      script.writes.push(-ENODEV)
      script.push(Wire.lookup(2, 1, "hello"), -ENODEV)
      yield* Fiber.join(serving)
      assert.deepStrictEqual(yield* registry.held, [1])
    }),
  )

  it.live("counts nothing for a LOOKUP that was interrupted: ENOENT", () =>
    Effect.gen(function* () {
      const { registry, serving } = yield* serve
      script.writes.push(-ENOENT, -ENOENT)
      script.push(Wire.lookup(2, 1, "hello"), Wire.readdirplus(4, 1, 0, 4096), -ENODEV)
      yield* Fiber.join(serving)
      assert.strictEqual(script.written.length, 2)
      assert.deepStrictEqual(yield* registry.held, [1])
    }),
  )

  /** From the moment that a reply is written, the kernel may forget what it names: also before this program goes on. */
  it.live("takes a FORGET that comes at once after the reply, wherever its fibers yield", () =>
    Effect.gen(function* () {
      const failed: Array<number> = []
      for (let operations = 4; operations < 90; operations++) {
        script.reset()
        script.onWrite = (bytes) => {
          if (Wire.parseReply(bytes).unique === 2n) script.push(Wire.forget(4, H.HELLO, 1), Wire.getattr(6, 1))
          else script.push(-ENODEV)
        }
        const held = yield* Effect.gen(function* () {
          const { registry, serving } = yield* serve
          script.push(Wire.lookup(2, 1, "hello"))
          yield* Fiber.join(serving)
          return yield* registry.held
        }).pipe(Effect.scoped, Effect.provideService(References.MaxOpsBeforeYield, operations), Effect.exit)
        if (!Exit.isSuccess(held) || held.value.length !== 1) failed.push(operations)
      }
      assert.deepStrictEqual(failed, [], "operations before a fiber yields")
    }),
  )
})
