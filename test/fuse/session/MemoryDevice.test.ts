import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Fiber } from "effect"
import { DeviceLost } from "../../../src/fuse/session/FuseDevice.ts"
import * as MemoryDevice from "../../../src/fuse/session/MemoryDevice.ts"
import { text } from "../../domain/pxar/helpers.ts"

const one = Buffer.from("one")
const two = Buffer.from("two")
const broken = new DeviceLost({ operation: "write", errno: 5, detail: "it broke" })

describe("MemoryDevice", () => {
  it.effect("gives messages in the order they were sent", () =>
    Effect.gen(function* () {
      const device = yield* MemoryDevice.make
      yield* device.send(one)
      yield* device.send(two)
      assert.strictEqual(text(yield* device.receive), "one")
      assert.strictEqual(text(yield* device.receive), "two")
    }),
  )

  it.effect("lets a receiver wait for the next message", () =>
    Effect.gen(function* () {
      const device = yield* MemoryDevice.make
      const waiting = yield* Effect.forkChild(device.receive, { startImmediately: true })
      assert.isUndefined(waiting.pollUnsafe())
      yield* device.send(one)
      assert.strictEqual(text(yield* Fiber.join(waiting)), "one")
    }),
  )

  it.effect("delivers replies unless told otherwise, as copies", () =>
    Effect.gen(function* () {
      const device = yield* MemoryDevice.make
      const reply = Uint8Array.from(one)
      assert.strictEqual(yield* device.reply(reply), "delivered")
      reply.fill(0)
      assert.strictEqual(text(yield* device.nextReply), "one")
    }),
  )

  it.effect("copies also a Buffer, whose slice is no copy", () =>
    Effect.gen(function* () {
      const device = yield* MemoryDevice.make
      const reply = Buffer.from("one")
      yield* device.reply(reply)
      reply.fill(0)
      assert.strictEqual(text(yield* device.nextReply), "one")
    }),
  )

  it.effect("does with replies what it was told, in order, and hands on only what was delivered", () =>
    Effect.gen(function* () {
      const device = yield* MemoryDevice.make
      device.outcomes.push("abandoned", "refused", "delivered", broken)
      assert.strictEqual(yield* device.reply(one), "abandoned")
      assert.strictEqual(yield* device.reply(one), "refused")
      assert.strictEqual(yield* device.reply(two), "delivered")
      assert.strictEqual(yield* Effect.flip(device.reply(one)), broken)
      assert.strictEqual(yield* device.reply(one), "delivered")
      assert.strictEqual(text(yield* device.nextReply), "two")
      assert.strictEqual(text(yield* device.nextReply), "one")
    }),
  )

  it.effect("ends after the messages that were sent before", () =>
    Effect.gen(function* () {
      const device = yield* MemoryDevice.make
      yield* device.send(one)
      yield* device.unmount
      assert.strictEqual(text(yield* device.receive), "one")
      assert.isTrue(Cause.isDone(yield* Effect.flip(device.receive)))
      assert.isTrue(Cause.isDone(yield* Effect.flip(device.receive)))
    }),
  )

  it.effect("fails a receiver that waits when it is lost", () =>
    Effect.gen(function* () {
      const device = yield* MemoryDevice.make
      const waiting = yield* Effect.forkChild(Effect.flip(device.receive), { startImmediately: true })
      yield* device.lose(broken)
      assert.strictEqual(yield* Fiber.join(waiting), broken)
    }),
  )
})
