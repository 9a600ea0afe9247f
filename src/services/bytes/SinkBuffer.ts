/**
 * Collects an archive's bytes in large blocks and hands full ones to a sink.
 *
 * Two blocks take turns: while the sink writes one the other is filled, so memory is twice the block size plus the
 * largest single item. A failed write shows at the next `handOver` or `flush`.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { ByteBuilder } from "../../domain/ByteBuilder.ts"
import * as ByteBuilders from "../../domain/ByteBuilder.ts"
import type { Sink, SinkError } from "./ByteSink.ts"

export interface SinkBuffer {
  /** The block being filled. Another one after each `handOver`. */
  readonly block: () => ByteBuilder
  /** Position in the sink of the next byte. */
  readonly position: () => number
  /** Whether the block is full: hand it over before long, or it grows. */
  readonly isFull: () => boolean
  /** Whether handing the block over makes room for `size` bytes that do not fit it. */
  readonly isTight: (size: number) => boolean
  /** Begins to write the block and takes the other one, once that has been written. */
  readonly handOver: Effect.Effect<void, SinkError>
  /** Ends when everything has been written. */
  readonly flush: Effect.Effect<void, SinkError>
}

/** Bytes of a block. Writes of this size reach the throughput of larger ones. */
const BLOCK_SIZE = 1024 * 1024

/** Room behind a full block, so that the items which make it full do not make it grow. */
const SLACK = 64 * 1024

/** A buffer before `sink`. Writes run in the scope: closing it interrupts the one in flight. */
export const make = (sink: Sink, blockSize = BLOCK_SIZE): Effect.Effect<SinkBuffer, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    let block = ByteBuilders.make(blockSize + SLACK)
    let spare = ByteBuilders.make(blockSize + SLACK)
    let handedOver = sink.position()
    let inFlight: Fiber.Fiber<void, SinkError> | undefined

    const settled: Effect.Effect<void, SinkError> = Effect.suspend(() => {
      if (inFlight === undefined) return Effect.void
      return Effect.map(Fiber.join(inFlight), () => {
        inFlight = undefined
      })
    })

    const handOver = Effect.flatMap(settled, () => {
      const full = block
      const write = sink.write(ByteBuilders.contents(full))
      handedOver += full.length
      block = spare
      block.length = 0
      // A block that has grown for one large item goes back to its size.
      spare = full.bytes.length > blockSize + SLACK ? ByteBuilders.make(blockSize + SLACK) : full
      return Effect.map(Effect.forkIn(write, scope, { startImmediately: true }), (fiber) => {
        inFlight = fiber
      })
    })

    return {
      block: () => block,
      position: () => handedOver + block.length,
      isFull: () => block.length >= blockSize,
      isTight: (size) => block.length > 0 && ByteBuilders.room(block) < size,
      handOver,
      flush: Effect.flatMap(
        Effect.suspend(() => (block.length === 0 ? settled : handOver)),
        () => settled,
      ),
    }
  })
