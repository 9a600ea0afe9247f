/**
 * Collects an archive's bytes in large blocks and hands full ones to a sink.
 *
 * Two blocks take turns: while the sink writes one the other is filled, so memory is twice the block size plus the
 * largest single item. A failed write shows at the next `settle` or `flush`.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { ByteBuilder } from "../domain/ByteBuilder.ts"
import * as ByteBuilders from "../domain/ByteBuilder.ts"
import type { Sink, SinkError } from "./ByteSink.ts"

export interface SinkBuffer {
  /** The block being filled. Changes with every `settle` that hands one over. */
  readonly block: () => ByteBuilder
  /** Position in the sink of the next byte. */
  readonly position: () => number
  /** To be run after appending: hands the block over if it is full, waiting for the previous one. */
  readonly settle: Effect.Effect<void, SinkError>
  /** Hands the block over unless at least `size` bytes are free in it, or it is empty. */
  readonly makeRoom: (size: number) => Effect.Effect<void, SinkError>
  /** Ends when everything has been written. */
  readonly flush: Effect.Effect<void, SinkError>
}

/** Bytes of a block. Writes of this size reach the throughput of larger ones. */
export const BLOCK_SIZE = 1024 * 1024

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
      settle: Effect.suspend(() => (block.length >= blockSize ? handOver : Effect.void)),
      makeRoom: (size) =>
        Effect.suspend(() => (block.length > 0 && ByteBuilders.room(block) < size ? handOver : Effect.void)),
      flush: Effect.flatMap(
        Effect.suspend(() => (block.length === 0 ? settled : handOver)),
        () => settled,
      ),
    }
  })
