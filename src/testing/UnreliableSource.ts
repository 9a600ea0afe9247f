/**
 * A source with latency and faults: another source, behind a slow line that breaks.
 *
 * Waiting goes through Effect's clock, so that under a `TestClock` a second is as long as the test says. Reads that
 * fail have waited too. What is not asked for is as the source has it.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ByteSource from "../services/bytes/ByteSource.ts"

/** A read, as it is asked for. */
export interface Read {
  /** How many reads came before it. */
  readonly index: number
  /** Position of the first byte. */
  readonly offset: number
  /** Bytes. */
  readonly length: number
}

/** What is wrong with the line. */
export interface Options {
  /** How long a read takes, or each of them. */
  readonly latency?: Duration.Input | ((read: Read) => Duration.Input) | undefined
  /** Whether a read fails: the text of its error, `undefined` if it does not. */
  readonly fault?: ((read: Read) => string | undefined) | undefined
}

/** A source that has counted its reads. */
export type UnreliableSource = ByteSource.ByteSource & {
  /** The reads so far, in the order in which they were asked for. */
  readonly reads: ReadonlyArray<Read>
}

/** `source` behind a bad line. */
export const make = (source: ByteSource.ByteSource, { fault, latency = 0 }: Options): UnreliableSource => {
  const reads: Array<Read> = []
  return {
    name: source.name,
    size: source.size,
    reads,
    read: (target, offset) =>
      Effect.suspend(() => {
        const read = { index: reads.length, offset, length: target.length }
        reads.push(read)
        const wait = Effect.sleep(typeof latency === "function" ? latency(read) : latency)
        const detail = fault?.(read)
        return Effect.andThen(
          wait,
          detail === undefined
            ? Effect.suspend(() => source.read(target, offset))
            : Effect.fail(new ByteSource.SourceError({ source: source.name, offset, detail })),
        )
      }),
  }
}
