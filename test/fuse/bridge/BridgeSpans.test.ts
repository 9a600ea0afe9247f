import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Option, Tracer } from "effect"
import * as Errno from "../../../src/domain/Errno.ts"
import type * as Bridge from "../../../src/fuse/bridge/Bridge.ts"
import * as BridgeSpans from "../../../src/fuse/bridge/BridgeSpans.ts"
import { fromBytes, type ByteSource } from "../../../src/services/bytes/ByteSource.ts"
import * as H from "../harness.ts"

/** The spans that an effect makes, over a source that makes one for each of its reads. */
const spansOf = <A, E>(use: (bridge: Bridge.Bridge) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      },
    })
    const memory = fromBytes(H.helloBytes())
    const source: ByteSource = {
      name: memory.name,
      size: memory.size,
      read: (target, offset) => Effect.withSpan(memory.read(target, offset), "source"),
    }
    const { bridge, registry } = yield* H.bridgeOver({ source, options: H.uncached })
    const lease = yield* bridge.lease
    yield* bridge.lookup(1, Buffer.from("hello"), lease)
    assert.isDefined(registry.find(H.HELLO_ID))
    yield* Effect.provideService(use(BridgeSpans.make(bridge)), Tracer.Tracer, tracer)
    return spans
  })

describe("BridgeSpans", () => {
  it.effect("puts an operation in a span that says of which inode, and what was asked", () =>
    Effect.gen(function* () {
      const [span] = yield* spansOf((bridge) => bridge.read(H.HELLO_ID, 1, 2, (length) => new Uint8Array(length)))
      assert.strictEqual(span?.name, "pxar-fuse.read")
      assert.deepStrictEqual(Object.fromEntries(span!.attributes), { inode: String(H.HELLO), offset: 1, size: 2 })
    }),
  )

  it.effect("has below it what the source does", () =>
    Effect.gen(function* () {
      const [operation, ...below] = yield* spansOf((bridge) =>
        bridge.read(H.HELLO_ID, 0, 3, (length) => new Uint8Array(length)),
      )
      assert.isNotEmpty(below)
      for (const span of below) {
        assert.strictEqual(span.name, "source")
        assert.strictEqual(Option.getOrUndefined(span.parent)?.spanId, operation!.spanId)
      }
    }),
  )

  it.effect("ends with the errno that the operation failed with", () =>
    Effect.gen(function* () {
      const [span] = yield* spansOf((bridge) => Effect.exit(bridge.readlink(12_345)))
      const { exit } = span!.status as Extract<Tracer.SpanStatus, { _tag: "Ended" }>
      assert.strictEqual(Option.getOrUndefined(Exit.findErrorOption(exit)), Errno.ENOENT)
    }),
  )
})
