/**
 * A line to a store or source far away, without sockets: round trip and bandwidth by Effect's clock, and what was asked.
 *
 * Under a `TestClock` a round trip takes as long as the test says. The answers to several requests share the bandwidth in
 * the order in which they were asked.
 */
import { Clock, Duration, Effect } from "effect"
import type { BlobStore, ByteSource } from "pxar-fuse"

export interface Options {
  /** There and back; none unless given. */
  readonly roundTrip?: Duration.Input | undefined
  /** Unlimited unless given. */
  readonly bytesPerSecond?: number | undefined
}

export interface FarLine {
  /** What was asked for so far, in order. */
  readonly asked: Array<string>
  /** Bytes that were answered. */
  bytes: number
  /** Requests under way, now and at most. */
  inFlight: number
  mostInFlight: number
  /**
   * How many requests had to wait for one another: the longest chain in which each was made after the one before was
   * answered. An upper bound of the round trips that a reader has to wait for.
   */
  rounds: number
  /** Whether requests are not answered: they wait for ever. */
  isStalled: boolean
  /** Asks over the line. */
  readonly carry: <A, E>(
    what: string,
    answer: Effect.Effect<A, E>,
    bytesOf: (answer: A) => number,
  ) => Effect.Effect<A, E>
}

/** Makes a line. */
export const make = ({ bytesPerSecond = Number.POSITIVE_INFINITY, roundTrip = 0 }: Options = {}): FarLine => {
  const delay = Duration.toMillis(Duration.fromInputUnsafe(roundTrip))
  let free = 0
  const line: FarLine = {
    asked: [],
    bytes: 0,
    inFlight: 0,
    mostInFlight: 0,
    rounds: 0,
    isStalled: false,
    carry: (what, answer, bytesOf) =>
      Effect.gen(function* () {
        line.asked.push(what)
        line.inFlight++
        line.mostInFlight = Math.max(line.mostInFlight, line.inFlight)
        const round = line.rounds + 1
        if (line.isStalled) return yield* Effect.never
        const begin = yield* Clock.currentTimeMillis
        const result = yield* Effect.result(answer)
        const bytes = result._tag === "Success" ? bytesOf(result.success) : 0
        free = Math.max(free, begin + delay) + (bytes / bytesPerSecond) * 1000
        yield* Effect.sleep(free - begin)
        line.bytes += bytes
        line.rounds = Math.max(line.rounds, round)
        return yield* Effect.fromResult(result)
      }).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            line.inFlight--
          }),
        ),
      ),
  }
  return line
}

/** A store at the end of a line. */
export const store = (line: FarLine, near: BlobStore.BlobStore): BlobStore.BlobStore => ({
  name: near.name,
  list: (folder) => line.carry(`list ${folder}`, near.list(folder), () => 0),
  read: (blob, limit) => line.carry(blob, near.read(blob, limit), ({ length }) => length),
})

/** A source at the end of a line. */
export const source = (line: FarLine, near: ByteSource.ByteSource): ByteSource.ByteSource => ({
  name: near.name,
  size: near.size,
  read: (target, offset) =>
    line.carry(
      `${near.name} ${offset}+${target.length}`,
      Effect.suspend(() => near.read(target, offset)),
      () => target.length,
    ),
})
