/**
 * Hearing what a session does: one event a request, when it is over.
 *
 * Nobody waits for whoever listens: an observer is called, not awaited, and a stream that is read too slowly loses its
 * oldest events. While nobody listens a request costs nothing more. An event tells what was on the wire; what is wrong
 * in the archive is in the log.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as ArchivePath from "../../domain/pxar/ArchivePath.ts"
import * as Bytes from "../../domain/Bytes.ts"
import type * as NodeId from "../../domain/pxar/NodeId.ts"
import { OUT_HEADER } from "../wire/Abi.ts"
import type { Delivery } from "./FuseDevice.ts"
import * as Operation from "../wire/Operation.ts"
import type * as Request from "../wire/Request.ts"

/** One request of the kernel, and what became of it. */
export interface RequestEvent extends Request.Header {
  /** As in `enum fuse_opcode`, without its prefix; `UNKNOWN` for an opcode that is not in the table. */
  readonly operation: string
  /** The name that LOOKUP looks for, or of GETXATTR's attribute. */
  readonly name: Uint8Array | undefined
  /** READ: the first byte. READDIR, READDIRPLUS: where the listing continues. */
  readonly offset: number | undefined
  /** Bytes that the kernel asks for, or has room for. */
  readonly size: number | undefined
  /** Of the reply: a positive Linux errno; 0 for success, and where there is no reply. */
  readonly errno: number
  /** Bytes of the reply after its header. */
  readonly bytes: number
  /** What the kernel did with the reply; `undefined` for a request without one, and for one that could not be sent. */
  readonly delivery: Delivery | undefined
  /** Microseconds from the arrival of the request until its reply was sent and counted. */
  readonly micros: number
  /** Path of the node, for LOOKUP with the name; as far as it can be found out when this is run. */
  readonly path: Effect.Effect<Uint8Array>
}

/** Called for every request. Must not block; one that throws is logged, and called no more. */
export type Observer = (event: RequestEvent) => void

/** Events that a stream keeps for its reader. */
export const BUFFERED_EVENTS = 1024

/**
 * Those who listen to one session: its end of them.
 *
 * @internal
 */
export interface Observers {
  /** Whether anybody listens. */
  readonly isActive: () => boolean
  /** Handles a request and tells of it. */
  readonly around: <E>(request: Observed, handled: Effect.Effect<void, E>) => Effect.Effect<void, E>
  /** A request was answered. */
  readonly answered: (unique: number, reply: Reply) => void
  /** The same, by a message. */
  readonly replied: (unique: number, message: Uint8Array, delivery: Delivery) => void
  /** The session has ended. */
  readonly end: Effect.Effect<void>
  /** Events from the moment it is run until the session ends. */
  readonly events: Stream.Stream<RequestEvent>
}

/**
 * A request, as far as it could be decoded.
 *
 * @internal
 */
export interface Observed {
  readonly header: Request.Header
  readonly body?: Request.Body
  /** That of the node unless given. */
  readonly path?: Effect.Effect<Uint8Array>
}

/** What became of a request. */
export type Reply = Pick<RequestEvent, "errno" | "bytes" | "delivery">

const unanswered: Reply = { errno: 0, bytes: 0, delivery: undefined }

/**
 * Makes the listeners of a session; `observer` is the first. Times are those of the clock in its context.
 *
 * @internal
 */
export const make = Effect.fnUntraced(function* (
  pathOf: (id: NodeId.NodeId) => Effect.Effect<Uint8Array>,
  observer: Observer | undefined,
): Effect.fn.Return<Observers> {
  const clock = yield* Clock.Clock
  const observers = new Set<Observer>()
  if (observer !== undefined) observers.add(observer)
  const streams = new Set<Queue.Queue<RequestEvent, Cause.Done>>()
  const replies = new Map<number, Reply>()
  let ended = false

  const tell = (event: RequestEvent): Effect.Effect<void> => {
    let outcome = Effect.void
    for (const observer of observers) {
      try {
        observer(event)
      } catch (defect) {
        observers.delete(observer)
        const message = "an observer of the session threw, and is not called any more"
        outcome = Effect.andThen(outcome, Effect.logError(message, defect))
      }
    }
    return outcome
  }

  const describe = ({ body, header, path }: Observed, reply: Reply, micros: number): RequestEvent => {
    const name = body !== undefined && "name" in body ? body.name : undefined
    const below = body?._tag === "Lookup" ? body.name : undefined
    return {
      ...header,
      operation: Operation.fromOpcode(header.opcode)?.name ?? "UNKNOWN",
      name,
      offset: body !== undefined && "offset" in body ? body.offset : undefined,
      size: body !== undefined && "size" in body ? body.size : undefined,
      ...reply,
      micros,
      path: Effect.map(path ?? Effect.suspend(() => pathOf(header.nodeId)), (path) =>
        below === undefined ? path : ArchivePath.join(path, below),
      ),
    }
  }

  // One that was under way when the first observer came is not told of.
  const answered: Observers["answered"] = (unique, reply) => {
    if (replies.has(unique)) replies.set(unique, reply)
  }

  return {
    isActive: () => observers.size > 0,
    around: (request, handled) =>
      Effect.suspend(() => {
        const start = clock.monotonicTimeNanosUnsafe()
        const { unique } = request.header
        replies.set(unique, unanswered)
        return Effect.ensuring(
          handled,
          Effect.suspend(() => {
            const reply = replies.get(unique) ?? unanswered
            replies.delete(unique)
            return tell(describe(request, reply, Number(clock.monotonicTimeNanosUnsafe() - start) / 1000))
          }),
        )
      }),
    answered,
    replied: (unique, message, delivery) => {
      const errno = Math.abs(Bytes.dataView(message).getInt32(OUT_HEADER.error, true))
      answered(unique, { errno, bytes: message.length - OUT_HEADER.size, delivery })
    },
    end: Effect.sync(() => {
      ended = true
      for (const queue of streams) Queue.endUnsafe(queue)
    }),
    events: Stream.callback<RequestEvent>(
      (queue) =>
        Effect.suspend(() => {
          if (ended) return Effect.sync(() => Queue.endUnsafe(queue))
          const observer: Observer = (event) => void Queue.offerUnsafe(queue, event)
          return Effect.acquireRelease(
            Effect.sync(() => {
              observers.add(observer)
              streams.add(queue)
            }),
            () =>
              Effect.sync(() => {
                observers.delete(observer)
                streams.delete(queue)
              }),
          )
        }),
      { bufferSize: BUFFERED_EVENTS, strategy: "sliding" },
    ),
  }
})
